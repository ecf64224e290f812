# What is installed besides the programs: units, the example configuration, the manuals.

set(CMAKE_INSTALL_SYSTEMD_UNITDIR lib/systemd/system CACHE STRING "Where systemd units go")
foreach(unit picket picket-agent)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${unit}.service.in ${unit}.service @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${unit}.service
          DESTINATION ${CMAKE_INSTALL_SYSTEMD_UNITDIR})
endforeach()
install(FILES ${CMAKE_CURRENT_LIST_DIR}/picket.sysusers DESTINATION lib/sysusers.d
        RENAME picket.conf)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/picket.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md")
