# cmake -DCOMPILER=… -DCASE=file -DINCLUDE=folder -P compile_twice.cmake
file(STRINGS ${CASE} lines LIMIT_COUNT 1)
if(NOT lines MATCHES "^// mistake: ([^ ]+)$")
  message(FATAL_ERROR "${CASE}: the first line must be `// mistake: WORD`")
endif()
set(word ${CMAKE_MATCH_1})
set(command ${COMPILER} -std=c++20 -fsyntax-only -I${INCLUDE})

execute_process(COMMAND ${command} ${CASE} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${CASE} must compile without its mistake:\n${said}")
endif()

execute_process(COMMAND ${command} -DOAS_MISTAKE ${CASE} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(result EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles with its mistake")
endif()
# The lines of the source that the compiler quotes do not count: it must say the word itself.
string(REGEX REPLACE "(^|\n) *[0-9]* \\|[^\n]*" "" said_itself "${said}")
if(NOT said_itself MATCHES "error[^\n]*${word}|note[^\n]*${word}")
  message(FATAL_ERROR "${CASE}: the compiler does not say ${word}:\n${said}")
endif()
