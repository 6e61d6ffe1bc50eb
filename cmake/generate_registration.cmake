# SPDX-License-Identifier: Apache-2.0
#
# Writes the source file with `register_all_<module>`, which calls every registration function of
# the module. Functions and formats have one per file, connectors one per folder, and the name says
# which: src/functions/abs.cc defines register_function_abs, src/connectors/kafka/*.cc define
# register_connector_kafka. Calls in a list and not static initialisers: those are dropped by the
# linker from static libraries and run in no defined order.
#
# cmake -DLIST=<file with one source path a line> -DOUTPUT=<file> -DMODULE=functions
#       -DWHAT=function -DCLASS=FunctionRegistry -P generate_registration.cmake

cmake_minimum_required(VERSION 3.25)

file(STRINGS "${LIST}" sources)
set(declarations)
set(calls)
foreach(source ${sources})
  file(STRINGS "${source}" lines REGEX "^void register_${WHAT}_")
  foreach(line ${lines})
    if(NOT line MATCHES "(register_${WHAT}_([a-z0-9_]+))\\(${CLASS}&")
      message(FATAL_ERROR "${source}: not `void register_${WHAT}_NAME(${CLASS}& registry)`: ${line}")
    endif()
    set(call "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    if(line MATCHES ";")
      continue() # a declaration
    endif()
    get_filename_component(stem "${source}" NAME_WE)
    get_filename_component(folder "${source}" DIRECTORY)
    get_filename_component(folder "${folder}" NAME)
    if(WHAT STREQUAL "connector")
      set(expected "${folder}")
    else()
      set(expected "${stem}")
    endif()
    if(NOT name STREQUAL expected)
      message(FATAL_ERROR "${source}: ${call} should be called register_${WHAT}_${expected}")
    endif()
    if("  ${call}(registry)" IN_LIST calls)
      message(FATAL_ERROR "${source}: ${call} is defined twice")
    endif()
    list(APPEND declarations "void ${call}(${CLASS}& registry)")
    list(APPEND calls "  ${call}(registry)")
  endforeach()
endforeach()

list(SORT declarations)
list(SORT calls)
list(JOIN declarations ";\n" declarations)
list(JOIN calls ";\n" calls)
if(calls)
  set(declarations "${declarations};\n\n")
  set(calls "${calls};\n")
  set(parameter " registry")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT "// Generated from the sources of src/@MODULE@; do not edit.

namespace tidegate {

class @CLASS@;

@declarations@void register_all_@MODULE@(@CLASS@&@parameter@);

void register_all_@MODULE@(@CLASS@&@parameter@) {
@calls@}

}  // namespace tidegate
")
