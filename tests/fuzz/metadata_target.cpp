// Any bytes as JSON: the metadata of an object, the manifest of a folder, a value in notation; each is read, and written
// again as the same, or a typed error.
#include "codec/metadata.hpp"
#include "core/json.hpp"
#include "core/typed.hpp"
#include "fuzz/target.hpp"

namespace {

// Runs what may be refused.
template <class F>
void maybe(F&& f) {
  try {
    f();
  } catch (const oas::Error&) {
  }
}

void run(oas::BytesView input) {
  maybe([&] { oas::codec::read_manifest(input); });
  oas::Value json;
  try {
    json = oas::from_json(oas::as_text(input), "input");
  } catch (const oas::Error&) {
    return;
  }
  const std::string text = oas::to_json(json);
  if (oas::to_json(oas::from_json(text, "ours")) != text) std::abort();
  maybe([&] { oas::codec::read_metadata(json); });
  maybe([&] { oas::codec::make_ref(json, nullptr); });
  oas::Value value;
  try {
    value = oas::untyped(json);
  } catch (const oas::Error&) {
    return;
  }
  const std::string notation = oas::to_typed(value);
  if (oas::to_typed(oas::from_typed(notation)) != notation) std::abort();
}

}  // namespace

OAS_FUZZ_TARGET(run)
