# One static library a room, so that a room's tests link nothing that the room may not use.
include_guard(GLOBAL)
include(driver_table)

# Flags for everything built here; not exported.
add_library(oas_flags INTERFACE)
target_compile_features(oas_flags INTERFACE cxx_std_20)
target_compile_options(oas_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${OAS_WERROR}>:-Werror>)
# At -O3 GCC 12 sees copies in std::string that cannot happen, and members of std::optional and std::variant that are not
# there read.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(oas_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-maybe-uninitialized)
endif()
if(OAS_SANITIZE)
  target_compile_options(oas_flags INTERFACE -fsanitize=${OAS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(oas_flags INTERFACE -fsanitize=${OAS_SANITIZE})
endif()
if(OAS_BUILD_FUZZERS)  # fuzzers are led by what their inputs reach
  target_compile_options(oas_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# oas_room(NAME SOURCES file… [USES room…] [LINKS target…])
function(oas_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(oas_room_${name} OBJECT ${arg_SOURCES})
  set_target_properties(oas_room_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(oas_room_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(oas_room_${name} PUBLIC oas_flags fmt::fmt nlohmann_json::nlohmann_json Threads::Threads
    ${arg_LINKS})
  set(all ${name})
  foreach(used ${arg_USES})
    get_property(theirs GLOBAL PROPERTY oas_room_${used}_all)
    list(APPEND all ${theirs})
  endforeach()
  list(REMOVE_DUPLICATES all)
  set_property(GLOBAL PROPERTY oas_room_${name}_all ${all})
  set_property(GLOBAL APPEND PROPERTY oas_rooms ${name})
  set_property(GLOBAL APPEND PROPERTY oas_links ${arg_LINKS})
endfunction()

# Links the objects of the rooms, and of all that they use, into a target.
function(oas_use_rooms target)
  set(all "")
  foreach(room ${ARGN})
    get_property(theirs GLOBAL PROPERTY oas_room_${room}_all)
    list(APPEND all ${theirs})
  endforeach()
  list(REMOVE_DUPLICATES all)
  foreach(room ${all})
    target_link_libraries(${target} PRIVATE oas_room_${room})
  endforeach()
endfunction()

# The one library that users link: all rooms together. What the rooms link stays private; users of the static library
# find it through cmake/oasConfig.cmake.in and cmake/oas.pc.in.
function(oas_library)
  get_property(rooms GLOBAL PROPERTY oas_rooms)
  get_property(links GLOBAL PROPERTY oas_links)
  list(REMOVE_DUPLICATES links)
  add_library(oas)
  add_library(oas::oas ALIAS oas)
  foreach(room ${rooms})
    target_sources(oas PRIVATE $<TARGET_OBJECTS:oas_room_${room}>)
  endforeach()
  # Before 1.0 a minor version may change the binary interface.
  set_target_properties(oas PROPERTIES VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINKER_LANGUAGE CXX)
  target_compile_features(oas PUBLIC cxx_std_20)
  target_include_directories(oas PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(oas PRIVATE ${links} fmt::fmt Threads::Threads $<BUILD_INTERFACE:oas_flags>)
  get_target_property(type oas TYPE)
  if(type STREQUAL "SHARED_LIBRARY" AND UNIX AND NOT APPLE)
    # Third parties are compiled in (header-only ones at least): only our own namespace leaves the library.
    set(script ${PROJECT_SOURCE_DIR}/cmake/oas.map)
    target_link_options(oas PRIVATE LINKER:--version-script=${script} LINKER:--no-undefined)
    set_target_properties(oas PROPERTIES LINK_DEPENDS ${script})
  endif()
endfunction()
