# SPDX-License-Identifier: Apache-2.0
#
# Finds Arrow C++ 25: a system package first, then the libraries in the pyarrow wheel (which has
# headers and shared libraries, but no CMake package of its own).
#
# Targets: TidegateArrow::arrow, ::compute, ::parquet, ::flight.
# Hints:   TIDEGATE_PYTHON, the interpreter that can import pyarrow (default: the project's .venv).
#
# The major version is pinned: 26 exports simdjson's symbols from libparquet and breaks ours.

set(_ta_major 25)
set(_ta_components arrow compute parquet flight)

set(_ta_system_arrow Arrow::arrow_shared)
set(_ta_system_compute ArrowCompute::arrow_compute_shared)
set(_ta_system_parquet Parquet::parquet_shared)
set(_ta_system_flight ArrowFlight::arrow_flight_shared)

if(NOT TARGET TidegateArrow::arrow)
  find_package(Arrow ${_ta_major} CONFIG QUIET)
  if(Arrow_FOUND)
    find_package(ArrowCompute ${_ta_major} CONFIG REQUIRED)
    find_package(Parquet ${_ta_major} CONFIG REQUIRED)
    find_package(ArrowFlight ${_ta_major} CONFIG REQUIRED)
    foreach(_ta_component ${_ta_components})
      add_library(TidegateArrow::${_ta_component} INTERFACE IMPORTED GLOBAL)
      target_link_libraries(TidegateArrow::${_ta_component}
                            INTERFACE ${_ta_system_${_ta_component}})
      set(TidegateArrow_${_ta_component}_LIBRARY ${_ta_system_${_ta_component}})
    endforeach()
    set(TidegateArrow_VERSION ${Arrow_VERSION})
    set(TidegateArrow_LOCATION "system: ${Arrow_DIR}")
  else()
    foreach(_ta_python "${TIDEGATE_PYTHON}" "${PROJECT_SOURCE_DIR}/.venv/bin/python3" python3)
      if(_ta_python STREQUAL "")
        continue()
      endif()
      execute_process(
        COMMAND "${_ta_python}" -c
                "import os, pyarrow; print(';'.join([pyarrow.__version__, pyarrow.get_include(), os.path.dirname(pyarrow.__file__)]))"
        OUTPUT_VARIABLE _ta_found
        OUTPUT_STRIP_TRAILING_WHITESPACE
        ERROR_QUIET
        RESULT_VARIABLE _ta_failed)
      if(_ta_failed STREQUAL "0")
        list(GET _ta_found 0 TidegateArrow_VERSION)
        list(GET _ta_found 1 _ta_include)
        list(GET _ta_found 2 _ta_libs)
        if(TidegateArrow_VERSION MATCHES "^${_ta_major}\\.")
          break()
        endif()
        message(STATUS "pyarrow ${TidegateArrow_VERSION} of ${_ta_python} is not ${_ta_major}.x")
        unset(_ta_libs)
      endif()
    endforeach()
    if(_ta_libs)
      file(STRINGS "${_ta_include}/arrow/util/config.h" _ta_so REGEX "#define ARROW_SO_VERSION")
      string(REGEX REPLACE ".*\"([0-9]+)\".*" "\\1" _ta_so "${_ta_so}")
      set(_ta_file_arrow libarrow)
      set(_ta_file_compute libarrow_compute)
      set(_ta_file_parquet libparquet)
      set(_ta_file_flight libarrow_flight)
      foreach(_ta_component ${_ta_components})
        set(_ta_name ${_ta_file_${_ta_component}}.so.${_ta_so})
        set(TidegateArrow_${_ta_component}_LIBRARY "${_ta_libs}/${_ta_name}")
        add_library(TidegateArrow::${_ta_component} SHARED IMPORTED GLOBAL)
        set_target_properties(
          TidegateArrow::${_ta_component}
          PROPERTIES IMPORTED_LOCATION "${_ta_libs}/${_ta_name}"
                     IMPORTED_SONAME ${_ta_name}
                     INTERFACE_INCLUDE_DIRECTORIES "${_ta_include}")
      endforeach()
      foreach(_ta_component compute parquet flight)
        set_target_properties(TidegateArrow::${_ta_component}
                              PROPERTIES INTERFACE_LINK_LIBRARIES TidegateArrow::arrow)
      endforeach()
      set(TidegateArrow_LOCATION "wheel: ${_ta_libs}")
    endif()
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  TidegateArrow
  REQUIRED_VARS TidegateArrow_LOCATION TidegateArrow_arrow_LIBRARY
  VERSION_VAR TidegateArrow_VERSION
  REASON_FAILURE_MESSAGE
    "neither a system Arrow ${_ta_major} nor the pyarrow wheel is there: run tools/setup")
