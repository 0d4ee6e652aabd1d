# cmake -D FOLDER=… -D PROGRAM=… -P: runs a program in a folder that holds nothing of an earlier run.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
execute_process(COMMAND ${PROGRAM} WORKING_DIRECTORY ${FOLDER} COMMAND_ERROR_IS_FATAL ANY)
