# SPDX-License-Identifier: Apache-2.0
#
# The installed package: find_package(Tidegate) gives Tidegate::tidegate.

include(CMakePackageConfigHelpers)

set(TIDEGATE_PACKAGE_PYTHON "${TIDEGATE_PYTHON}")
if(NOT TIDEGATE_PACKAGE_PYTHON)
  set(TIDEGATE_PACKAGE_PYTHON "${PROJECT_SOURCE_DIR}/.venv/bin/python3")
endif()

set(installed tidegate tidegate_link_order)
foreach(module ${TIDEGATE_MODULES})
  list(APPEND installed tidegate_${module})
endforeach()
install(TARGETS ${installed} EXPORT TidegateTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET tidegate_program)
  install(TARGETS tidegate_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set_target_properties(tidegate_program PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()
install(DIRECTORY include/tidegate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Tidegate)
install(EXPORT TidegateTargets NAMESPACE Tidegate:: DESTINATION ${package_dir})
configure_package_config_file(cmake/TidegateConfig.cmake.in TidegateConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(TidegateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/TidegateConfig.cmake"
        "${PROJECT_BINARY_DIR}/TidegateConfigVersion.cmake"
        cmake/FindTidegateArrow.cmake cmake/TidegatePackages.cmake
  DESTINATION ${package_dir})
