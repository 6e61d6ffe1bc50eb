# SPDX-License-Identifier: Apache-2.0
#
# Language level, warnings, build type, compiler cache, linker and sanitizers.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# A static library need not wait for the libraries that it names: `ninja tidegate_types` compiles
# types alone.
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)

set(TIDEGATE_SANITIZE "" CACHE STRING "address (with undefined) or thread")
option(TIDEGATE_FAILPOINTS "Compile in the places where tests make things go wrong" ON)
option(TIDEGATE_WERROR "Treat warnings as errors" ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# -g1 keeps function names and line numbers (all that a stack trace needs) and builds much faster
# than -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

add_library(tidegate_flags INTERFACE)
target_compile_options(
  tidegate_flags
  INTERFACE -Wall -Wextra -Wnon-virtual-dtor -Wsuggest-override -Wextra-semi -Wvla
            # GCC 12 reports these wrongly inside libstdc++ and fmt when it inlines.
            -Wno-restrict -Wno-error=maybe-uninitialized -Wno-error=array-bounds
            -Wno-error=stringop-overflow -Wno-error=stringop-overread)
if(TIDEGATE_WERROR)
  target_compile_options(tidegate_flags INTERFACE -Werror)
endif()

if(NOT TIDEGATE_FAILPOINTS)
  add_compile_definitions(TIDEGATE_NO_FAILPOINTS)
endif()

if(TIDEGATE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(TIDEGATE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
  add_library(tidegate_tsan_threads OBJECT tools/tsan_threads.cc)
elseif(NOT TIDEGATE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "TIDEGATE_SANITIZE is address or thread, not ${TIDEGATE_SANITIZE}")
endif()
if(TIDEGATE_SANITIZE)
  set(TIDEGATE_TEST_ENVIRONMENT
      UBSAN_OPTIONS=print_stacktrace=1
      TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/tsan.supp:second_deadlock_stack=1)
  # Without NDEBUG, so that the checks of hot loops run too.
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -fno-omit-frame-pointer")
endif()

find_program(TIDEGATE_CCACHE ccache)
if(TIDEGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TIDEGATE_CCACHE}")
endif()

find_program(TIDEGATE_MOLD mold)
if(TIDEGATE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
