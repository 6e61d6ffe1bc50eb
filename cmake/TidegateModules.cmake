# SPDX-License-Identifier: Apache-2.0
#
# One static library `tidegate_<module>` and one test program `<module>_test` per folder of src/,
# linked as layers.txt says. Sources are globbed: adding a file is enough.

# Reads layers.txt into TIDEGATE_MODULES (in order) and, per key, TIDEGATE_MODULES_OF_<key> and
# TIDEGATE_PACKAGES_OF_<key>. The packages of `module/folder` also count for `module`, since a
# module is one library.
function(tidegate_read_layers file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(STRINGS "${file}" lines REGEX "^[a-z]")
  set(modules)
  foreach(line ${lines})
    if(NOT line MATCHES "^([a-z_./]+)[ ]*:([a-z_ ]*)(\\|([a-z0-9_ ]*))?$")
      message(FATAL_ERROR "layers.txt: cannot read this line: ${line}")
    endif()
    set(key "${CMAKE_MATCH_1}")
    string(STRIP "${CMAKE_MATCH_2}" uses)
    string(STRIP "${CMAKE_MATCH_4}" packages)
    string(REGEX REPLACE " +" ";" uses "${uses}")
    string(REGEX REPLACE " +" ";" packages "${packages}")
    if(NOT key MATCHES "^tests/" AND key MATCHES "^([a-z_]+)/")
      list(APPEND packages_${CMAKE_MATCH_1} ${packages})
      continue()
    endif()
    if(key MATCHES "^tests/(.*)")
      list(APPEND own_support ${CMAKE_MATCH_1})
    elseif(NOT key MATCHES "\\." AND NOT key MATCHES "^(all|tests)$")
      foreach(use ${uses})
        if(NOT use IN_LIST modules)
          message(FATAL_ERROR "layers.txt: ${key} names ${use}, which is not above it")
        endif()
      endforeach()
      list(APPEND modules ${key})
    endif()
    set(TIDEGATE_MODULES_OF_${key} "${uses}" PARENT_SCOPE)
    list(APPEND packages_${key} ${packages})
  endforeach()
  set(TIDEGATE_MODULES "${modules}" PARENT_SCOPE)
  set(TIDEGATE_OWN_SUPPORT "${own_support}" PARENT_SCOPE)
  foreach(module all ${modules})
    foreach(package ${packages_${module}})
      if(NOT DEFINED TIDEGATE_PACKAGE_${package})
        message(FATAL_ERROR "layers.txt: ${module} names the unknown package ${package}")
      endif()
    endforeach()
    set(TIDEGATE_PACKAGES_OF_${module} "${packages_${module}}" PARENT_SCOPE)
  endforeach()
endfunction()

# The generated file that calls every registration function of a folder: see
# generate_registration.cmake. Appends its path to the list named <list_name>.
function(tidegate_registration module list_name)
  if(module STREQUAL "functions")
    set(what function)
    set(class FunctionRegistry)
  elseif(module STREQUAL "formats")
    set(what format)
    set(class FormatRegistry)
  elseif(module STREQUAL "connectors")
    set(what connector)
    set(class ConnectorRegistry)
  else()
    return()
  endif()
  set(output "${PROJECT_BINARY_DIR}/generated/register_${module}.cc")
  set(list "${PROJECT_BINARY_DIR}/generated/register_${module}.txt")
  string(REPLACE ";" "\n" lines "${${list_name}}")
  file(CONFIGURE OUTPUT "${list}" CONTENT "${lines}\n" @ONLY)
  # At build time, not at configure time: editing a function must not configure the project again.
  # The command leaves an unchanged output alone, and ninja then stops there.
  add_custom_command(
    OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} -DLIST=${list} -DOUTPUT=${output} -DMODULE=${module} -DWHAT=${what}
            -DCLASS=${class} -P ${PROJECT_SOURCE_DIR}/cmake/generate_registration.cmake
    DEPENDS ${${list_name}} "${list}" "${PROJECT_SOURCE_DIR}/cmake/generate_registration.cmake"
    COMMENT "Generating register_${module}.cc"
    VERBATIM)
  set(${list_name} ${${list_name}} "${output}" PARENT_SCOPE)
endfunction()

# The libraries of tests/support/*.cc: tidegate_test_support, and one more for each file that
# layers.txt gives a line of its own, so that the tests of low modules can use it.
function(tidegate_test_support)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cc")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  foreach(file ${TIDEGATE_OWN_SUPPORT})
    set(source "${PROJECT_SOURCE_DIR}/tests/support/${file}.cc")
    if(NOT source IN_LIST sources)
      message(FATAL_ERROR "layers.txt: tests/${file} is not a file of tests/support")
    endif()
    list(REMOVE_ITEM sources "${source}")
    tidegate_support_library(tidegate_test_support_${file} tests/${file} ${source})
    list(APPEND libraries tidegate_test_support_${file})
  endforeach()
  if(sources)
    tidegate_support_library(tidegate_test_support tests ${sources})
    target_link_libraries(tidegate_test_support PUBLIC ${libraries})
  endif()
endfunction()

function(tidegate_support_library name key)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${ARGN})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  foreach(module ${TIDEGATE_MODULES_OF_${key}})
    target_link_libraries(${name} PUBLIC tidegate_${module})
  endforeach()
  target_link_libraries(${name} PUBLIC GTest::gmock PRIVATE tidegate_flags)
endfunction()

# Appends to <list_name> the support libraries that need no more than <modules>.
function(tidegate_support_for modules list_name)
  foreach(key tests ${TIDEGATE_OWN_SUPPORT})
    set(library tidegate_test_support_${key})
    if(key STREQUAL "tests")
      set(library tidegate_test_support)
    else()
      string(PREPEND key "tests/")
    endif()
    set(missing ${TIDEGATE_MODULES_OF_${key}})
    list(REMOVE_ITEM missing ${modules})
    if(NOT missing AND TARGET ${library})
      list(APPEND ${list_name} ${library})
    endif()
  endforeach()
  set(${list_name} ${${list_name}} PARENT_SCOPE)
endfunction()

# tidegate_test(<name> SOURCES ... LINK ...): a test program, one ctest entry of the same name.
# One entry per program and not per case: starting one takes 10 to 20 ms, most cases less than one.
function(tidegate_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE tidegate_flags ${arg_LINK} GTest::gmock_main
                                        $<TARGET_NAME_IF_EXISTS:tidegate_tsan_threads>)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 600
                                           ENVIRONMENT "${TIDEGATE_TEST_ENVIRONMENT}")
  set_property(GLOBAL APPEND PROPERTY TIDEGATE_TESTS ${name})
endfunction()

# The library and the test program of src/<name>. A folder that is empty or not there gives an
# INTERFACE library, so that whoever names it can be configured.
function(tidegate_module name)
  set(folder "${PROJECT_SOURCE_DIR}/src/${name}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(links)
  foreach(module ${TIDEGATE_MODULES_OF_${name}})
    list(APPEND links tidegate_${module})
  endforeach()
  foreach(package ${TIDEGATE_PACKAGES_OF_all} ${TIDEGATE_PACKAGES_OF_${name}})
    list(APPEND links ${TIDEGATE_PACKAGE_${package}})
  endforeach()

  tidegate_registration(${name} sources)
  if(sources)
    add_library(tidegate_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(tidegate_${name} PRIVATE $<BUILD_INTERFACE:tidegate_flags>)
  else()
    add_library(tidegate_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  set_target_properties(tidegate_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(
    tidegate_${name}
    ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    $<INSTALL_INTERFACE:include>)
  target_compile_features(tidegate_${name} ${scope} cxx_std_20)
  target_link_libraries(tidegate_${name} ${scope} tidegate_link_order ${links} Threads::Threads)

  if(tests)
    set(modules ${name} ${TIDEGATE_MODULES_OF_${name}} ${TIDEGATE_MODULES_OF_${name}.test})
    tidegate_support_for("${modules}" test_links)
    foreach(module ${modules})
      list(APPEND test_links tidegate_${module})
    endforeach()
    tidegate_test(${name}_test SOURCES ${tests} LINK ${test_links} LABELS unit)
    target_include_directories(${name}_test PRIVATE "${PROJECT_SOURCE_DIR}")
  endif()
endfunction()
