# SPDX-License-Identifier: Apache-2.0
# Between installing and packing: what Debian's policy asks of a package's files and cmake --install
# does not do. Manual pages and changelogs are compressed without the time, and Debian's own
# changelog says when this was packed (SOURCE_DATE_EPOCH, if it is set).
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(GLOB roots LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/*")
foreach(root IN LISTS roots)
  file(GLOB packages LIST_DIRECTORIES true "${root}/usr/share/doc/*")
  foreach(package IN LISTS packages)
    file(WRITE ${package}/changelog.Debian
      "dcmveil (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) bookworm; urgency=medium\n\n"
      "  * Packed by cpack. What changed in dcmveil is in /usr/share/doc/dcmveil.\n\n"
      " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
  endforeach()
  file(GLOB files "${root}/usr/share/man/man1/*.1" "${root}/usr/share/doc/*/changelog*")
  if(files)
    execute_process(COMMAND gzip -9nf ${files} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  file(GLOB_RECURSE everything LIST_DIRECTORIES false "${root}/usr/share/doc/*.gz")
  foreach(file IN LISTS everything)
    file(CHMOD ${file} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  endforeach()
endforeach()
