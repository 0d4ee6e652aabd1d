// Any bytes as JSON, and that as a value in the notation of --typed: each is read and written again as the same, or a
// typed error.
#include "core/json.hpp"
#include "core/typed.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"

namespace {

constexpr std::size_t slack = 1 << 16;  // of messages

void run(oas::BytesView input) {
  oas::Value json;
  try {
    const oas::fuzz::MemoryBound bound(slack + oas::json_factor * input.size());
    json = oas::from_json(oas::as_text(input), "input");
  } catch (const oas::Error&) {
    return;
  }
  const std::string text = oas::to_json(json);
  if (oas::to_json(oas::from_json(text, "ours")) != text) std::abort();
  oas::Value value;
  try {
    const oas::fuzz::MemoryBound bound(slack + oas::json_factor * text.size());
    value = oas::untyped(json);
  } catch (const oas::Error&) {
    return;
  }
  const std::string notation = oas::to_typed(value);
  if (oas::to_typed(oas::from_typed(notation)) != notation) std::abort();
}

}  // namespace

OAS_FUZZ_TARGET(run)
