# One static library a room, so that a room's tests link nothing that the room may not use.
include_guard(GLOBAL)
include(driver_table)

# Flags for everything built here; not exported.
add_library(oas_flags INTERFACE)
target_compile_features(oas_flags INTERFACE cxx_std_20)
target_compile_options(oas_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${OAS_WERROR}>:-Werror>)
if(OAS_SANITIZE)
  target_compile_options(oas_flags INTERFACE -fsanitize=${OAS_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(oas_flags INTERFACE -fsanitize=${OAS_SANITIZE})
endif()

# oas_room(NAME SOURCES file… [USES room…] [LINKS target…])
function(oas_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(oas_room_${name} OBJECT ${arg_SOURCES})
  set_target_properties(oas_room_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
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

# The one library that users link: all rooms together.
function(oas_library)
  get_property(rooms GLOBAL PROPERTY oas_rooms)
  add_library(oas)
  add_library(oas::oas ALIAS oas)
  foreach(room ${rooms})
    target_sources(oas PRIVATE $<TARGET_OBJECTS:oas_room_${room}>)
  endforeach()
  set_target_properties(oas PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE CXX)
  target_compile_features(oas PUBLIC cxx_std_20)
  target_include_directories(oas PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(oas PRIVATE OpenSSL::Crypto ZLIB::ZLIB SQLite::SQLite3 Threads::Threads fmt::fmt)
endfunction()
