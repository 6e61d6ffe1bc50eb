# SPDX-License-Identifier: Apache-2.0
#
# Tests of the sources themselves: layering, licence lines, links in documents, formatting.

# The project's own interpreter has the packages that some checks compare us with.
if(NOT Python3_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python3")
  set(Python3_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python3")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# tidegate_check(<name> <command>...): a ctest entry; exit code 77 counts as skipped. TIDEGATE_BUILD
# tells a script where the built programs are.
function(tidegate_check name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS check SKIP_RETURN_CODE 77 TIMEOUT 600
                                           ENVIRONMENT "TIDEGATE_BUILD=${PROJECT_BINARY_DIR}")
endfunction()

tidegate_check(layers_check ${Python3_EXECUTABLE} tools/check_layers.py)
tidegate_check(sources_check ${Python3_EXECUTABLE} tools/check_sources.py)
tidegate_check(format_check tools/format --check)

file(GLOB script_tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/*_test.py"
                                         "${PROJECT_SOURCE_DIR}/tests/*/*_test.py")
foreach(test ${script_tests})
  get_filename_component(name "${test}" NAME_WE)
  tidegate_check(${name} ${Python3_EXECUTABLE} "${test}")
  # They run jobs, and on a machine that others use too.
  set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endforeach()
