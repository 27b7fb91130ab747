# Fails unless TOOL prints exactly FILE.
execute_process(COMMAND ${TOOL} OUTPUT_VARIABLE printed RESULT_VARIABLE result)
file(READ "${FILE}" expected)
if(NOT result EQUAL 0 OR NOT printed STREQUAL expected)
  message(FATAL_ERROR "${FILE} is not what ${TOOL} prints: run it again and look at the difference")
endif()
