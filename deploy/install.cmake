# What is installed besides the programs: units, the example configuration, the manuals.

set(CMAKE_INSTALL_SYSTEMD_UNITDIR lib/systemd/system CACHE STRING "Where systemd units go")
foreach(unit picket picket-agent)
  # Only the installation knows its prefix: `cmake --install` may be given another one.
  install(CODE "
    set(CMAKE_INSTALL_FULL_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    set(CMAKE_INSTALL_FULL_DOCDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
    configure_file(\"${CMAKE_CURRENT_LIST_DIR}/${unit}.service.in\"
                   \"${CMAKE_CURRENT_BINARY_DIR}/${unit}.service\" @ONLY)")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${unit}.service
          DESTINATION ${CMAKE_INSTALL_SYSTEMD_UNITDIR})
endforeach()
install(FILES ${CMAKE_CURRENT_LIST_DIR}/picket.sysusers DESTINATION lib/sysusers.d
        RENAME picket.conf)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/picket.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md")
