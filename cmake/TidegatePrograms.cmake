# SPDX-License-Identifier: Apache-2.0
#
# Everything outside src/*/ that is built: the `tidegate` program, benchmarks, examples, and the
# tests that span modules. All globbed, all skipped when not there.

# build/tidegate
file(GLOB main CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cli/main.cc")
if(main)
  add_executable(tidegate_program ${main})
  set_target_properties(tidegate_program PROPERTIES OUTPUT_NAME tidegate)
  target_link_libraries(tidegate_program PRIVATE tidegate_flags tidegate_cli)
endif()

# build/bench/<name>, one per bench/<name>.cc; `ninja bench` builds them all.
add_custom_target(bench)
find_package(benchmark REQUIRED)
file(GLOB benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*.cc")
foreach(source ${benches})
  get_filename_component(name "${source}" NAME_WE)
  add_executable(bench_${name} "${source}")
  set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                 "${PROJECT_BINARY_DIR}/bench")
  target_link_libraries(bench_${name} PRIVATE tidegate_flags tidegate benchmark::benchmark)
  add_dependencies(bench bench_${name})
endforeach()
if(TARGET bench_models)
  target_compile_definitions(bench_models PRIVATE TIDEGATE_MODELS="${PROJECT_SOURCE_DIR}/tests/models")
endif()
# It runs queries, which are files, with the program.
if(TARGET bench_library)
  add_dependencies(bench_library tidegate_program)
endif()
if(TARGET bench_nexmark)
  target_compile_definitions(bench_nexmark PRIVATE
                             NEXMARK_QUERIES="${PROJECT_SOURCE_DIR}/bench/nexmark/queries")
  add_dependencies(bench_nexmark tidegate_program)
endif()

# build/examples/<name>, one per folder; they see only what a user program sees.
file(GLOB_RECURSE example_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/*.cc")
set(examples)
foreach(source ${example_sources})
  file(RELATIVE_PATH relative "${PROJECT_SOURCE_DIR}/examples" "${source}")
  string(REGEX REPLACE "/.*" "" name "${relative}")
  list(APPEND examples ${name})
  list(APPEND sources_of_${name} "${source}")
endforeach()
list(REMOVE_DUPLICATES examples)
foreach(name ${examples})
  add_executable(example_${name} ${sources_of_${name}})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                   "${PROJECT_BINARY_DIR}/examples")
  target_link_libraries(example_${name} PRIVATE tidegate_flags tidegate)
  # Where an example finds the data that comes with it, from whatever folder it is started.
  target_compile_definitions(example_${name} PRIVATE
                             EXAMPLE_DATA="${PROJECT_SOURCE_DIR}/examples/${name}/data")
endforeach()

# tests/<folder>/*_test.cc -> tests_<folder>.
file(GLOB test_folders CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*/*_test.cc")
list(TRANSFORM test_folders REPLACE "/[^/]*$" "")
list(REMOVE_DUPLICATES test_folders)
set(test_links)
tidegate_support_for("${TIDEGATE_MODULES}" test_links)
list(APPEND test_links tidegate_cli)
foreach(folder ${test_folders})
  get_filename_component(name "${folder}" NAME)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cc")
  if(folder MATCHES "/support$")
    list(FILTER sources INCLUDE REGEX "_test\\.cc$")
  endif()
  tidegate_test(tests_${name} SOURCES ${sources} LINK ${test_links} LABELS ${name})
endforeach()
# Brokers are started and killed, and take their time on a busy machine.
if(TEST tests_kafka)
  set_tests_properties(tests_kafka PROPERTIES TIMEOUT 1800)
endif()

# Each public header compiles alone.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/*.h")
set(header_sources)
foreach(header ${headers})
  file(RELATIVE_PATH relative "${PROJECT_SOURCE_DIR}/include" "${header}")
  string(REGEX REPLACE "[/.]" "_" stem "${relative}")
  set(source "${PROJECT_BINARY_DIR}/generated/alone_${stem}.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"${relative}\"\n" @ONLY)
  list(APPEND header_sources "${source}")
endforeach()

# So do the programs that these documents show.
foreach(document README.md docs/how-to/from-kafka-streams.md)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${document}")
  file(READ "${PROJECT_SOURCE_DIR}/${document}" text)
  string(FIND "${text}" "```cpp\n" begin)
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(SUBSTRING "${text}" 7 -1 text)
  string(FIND "${text}" "```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  get_filename_component(stem "${document}" NAME_WE)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/${stem}.cc" CONTENT "${text}" @ONLY)
  list(APPEND header_sources "${PROJECT_BINARY_DIR}/generated/${stem}.cc")
endforeach()

if(headers)
  add_library(headers_alone OBJECT ${header_sources})
  target_link_libraries(headers_alone PRIVATE tidegate_flags tidegate)
endif()

# `ninja tests` builds the test programs alone; test_programs.txt lets `make t` build a few of them.
get_property(test_programs GLOBAL PROPERTY TIDEGATE_TESTS)
add_custom_target(tests DEPENDS ${test_programs})
if(TARGET tidegate_program)
  add_dependencies(tests tidegate_program)
endif()
string(REPLACE ";" "\n" lines "${test_programs}")
file(CONFIGURE OUTPUT test_programs.txt CONTENT "${lines}\n" @ONLY)

# build/spark_cases, which runs folders of recorded cases with build/spark_query.
file(GLOB spark_query CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/spark/*.cc")
if(spark_query)
  add_executable(spark_query ${spark_query})
  target_link_libraries(spark_query PRIVATE tidegate_flags tidegate)
  configure_file("${PROJECT_SOURCE_DIR}/tests/spark/spark_cases.py" spark_cases COPYONLY)
  foreach(part spark_sql spark_relation spark_expressions spark_judge)
    configure_file("${PROJECT_SOURCE_DIR}/tests/spark/${part}.py" ${part}.py COPYONLY)
  endforeach()
  file(CHMOD "${PROJECT_BINARY_DIR}/spark_cases" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
       GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  add_test(NAME spark_cases COMMAND "${PROJECT_BINARY_DIR}/spark_cases"
                                    "${PROJECT_SOURCE_DIR}/tests/spark/cases")
  set_tests_properties(spark_cases PROPERTIES LABELS spark TIMEOUT 600)
  add_dependencies(tests spark_query)
endif()
