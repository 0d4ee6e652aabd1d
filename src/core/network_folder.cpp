#include "core/network_folder.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace oas {

bool on_network(const std::string& folder) noexcept {
  struct statfs info {};
  if (statfs(folder.c_str(), &info) != 0) return false;
  // NFS, SMB 1 to 3, AFS, Lustre, GPFS, BeeGFS, Ceph
  constexpr std::array<std::uint32_t, 9> network{0x6969,     0x517B,     0xFF534D42, 0xFE534D42, 0x5346414F,
                                                 0x0BD00BD0, 0x47504653, 0x19830326, 0x00C36400};
  return std::ranges::find(network, static_cast<std::uint32_t>(info.f_type)) != network.end();
}

}  // namespace oas
