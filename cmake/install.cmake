# What `cmake --install` puts where: headers, library, package files for CMake and pkg-config, program, completions.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/oas)

# With a static library, who links it must link what it needs; a shared one brings it along. What a room may link:
# target, CMake package, pkg-config module.
set(OAS_FIND_DEPENDENCIES "")
set(OAS_PC_PRIVATE "")
get_target_property(type oas TYPE)
get_property(links GLOBAL PROPERTY oas_links)
foreach(link fmt::fmt Threads::Threads ${links})
  if(link STREQUAL "fmt::fmt")
    set(found fmt fmt)
  elseif(link STREQUAL "Threads::Threads")
    set(found Threads "")
  elseif(link STREQUAL "OpenSSL::Crypto")
    set(found OpenSSL libcrypto)
  elseif(link STREQUAL "ZLIB::ZLIB")
    set(found ZLIB zlib)
  elseif(link STREQUAL "SQLite::SQLite3")
    set(found SQLite3 sqlite3)
  elseif(link STREQUAL "PostgreSQL::PostgreSQL")
    set(found PostgreSQL libpq)
  else()
    message(FATAL_ERROR "a room links ${link}, which cmake/install.cmake does not know: users of the static library "
      "would not find it. name its packages there")
  endif()
  list(GET found 0 package)
  list(GET found 1 module)
  string(APPEND OAS_FIND_DEPENDENCIES "find_dependency(${package})\n")
  string(APPEND OAS_PC_PRIVATE "${module} ")
endforeach()
if(NOT type STREQUAL "STATIC_LIBRARY")
  set(OAS_FIND_DEPENDENCIES "")
endif()
file(RELATIVE_PATH OAS_PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/oas.pc.in ${PROJECT_BINARY_DIR}/oas.pc @ONLY)

install(TARGETS oas EXPORT oas)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/oas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp)
install(EXPORT oas FILE oasTargets.cmake NAMESPACE oas:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/oasConfig.cmake.in ${PROJECT_BINARY_DIR}/oasConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/oasConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/oasConfig.cmake ${PROJECT_BINARY_DIR}/oasConfigVersion.cmake
  DESTINATION ${package_dir})

install(FILES ${PROJECT_BINARY_DIR}/oas.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET oas-cli)
  install(TARGETS oas-cli)
  foreach(shell_file cli/completions/oas.bash:bash-completion/completions:oas
          cli/completions/_oas:zsh/site-functions:_oas cli/completions/oas.fish:fish/vendor_completions.d:oas.fish)
    string(REPLACE ":" ";" parts ${shell_file})
    list(GET parts 0 file)
    list(GET parts 1 folder)
    list(GET parts 2 name)
    install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder} RENAME ${name} OPTIONAL)
  endforeach()
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
