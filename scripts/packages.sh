# SPDX-License-Identifier: Apache-2.0
# What dcmveil needs of Debian 12, for the scripts that source this. See docs/dependencies.md.
build_packages=(g++ cmake ninja-build pkg-config ccache
  libdcmtk-dev libyaml-cpp-dev libssl-dev libtbb-dev libre2-dev zlib1g-dev
  nlohmann-json3-dev libcli11-dev libcurl4-openssl-dev libexpat1-dev)
python_packages=(pybind11-dev python3-dev)
packaging_packages=(dpkg-dev file gzip)
test_packages=(libgtest-dev dcmtk dicom3tools python3 python3-pydicom python3-numpy python3-yaml mypy clang
  libclang-rt-14-dev clang-format clang-tidy openssl libcpp-httplib-dev orthanc orthanc-dicomweb chromium
  zsh mandoc man-db groff-base "${packaging_packages[@]}" lintian debootstrap
  slurm-wlm munge valgrind make)
bench_packages=(libgdcm-tools dcmtk valgrind strace openssl python3)
