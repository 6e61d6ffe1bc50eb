# SPDX-License-Identifier: Apache-2.0
#
# ONNX Runtime: a library of 35 MB that programs without a model need not load, and that need not be
# there for them. So nothing links it, and only the files that load it see its headers and where it
# was when this was built; elsewhere it is looked for as libonnxruntime.so.1.

file(GLOB _tm_libraries "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*")
list(APPEND _tm_libraries libonnxruntime.so.1)
list(GET _tm_libraries 0 _tm_library)
set(TIDEGATE_ONNXRUNTIME_LIBRARY "${_tm_library}" CACHE STRING "ONNX Runtime, loaded with the first model")
find_path(TIDEGATE_ONNXRUNTIME_INCLUDE onnxruntime_cxx_api.h
          PATHS "${PROJECT_SOURCE_DIR}/.venv/include/onnxruntime" /usr/include/onnxruntime)
if(NOT TIDEGATE_ONNXRUNTIME_INCLUDE)
  message(FATAL_ERROR "the headers of ONNX Runtime are not there: run tools/setup")
endif()
set(_tm_headers -isystem "${TIDEGATE_ONNXRUNTIME_INCLUDE}")
set_source_files_properties(
  src/models/onnx_library.cc src/models/onnx_model.cc src/models/onnx_signature.cc bench/models.cc
  PROPERTIES COMPILE_OPTIONS "${_tm_headers}")
set_source_files_properties(
  src/models/onnx_library.cc
  PROPERTIES COMPILE_DEFINITIONS "TIDEGATE_ONNXRUNTIME_LIBRARY=\"${TIDEGATE_ONNXRUNTIME_LIBRARY}\"")
