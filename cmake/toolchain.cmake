# How everything is compiled. Arithmetic is part of determinism: no fast-math, no contraction to fused multiply-add
# (docs/architecture.md), in every target without exception.
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
add_compile_options(-ffp-contract=off -fno-fast-math)
add_compile_options($<$<CONFIG:Release>:-O2> $<$<CONFIG:Release>:-g1>)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/proto)

# ccache and mold where they are installed; neither is needed.
find_program(SPUR_CCACHE ccache)
if(SPUR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SPUR_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${SPUR_CCACHE})
endif()
find_program(SPUR_MOLD mold)
if(SPUR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(SPUR_SANITIZE)
  add_compile_options(-fsanitize=${SPUR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1 -g1)
  add_link_options(-fsanitize=${SPUR_SANITIZE})
  if(SPUR_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)  # coverage, which guides the fuzzer, in every library
  endif()
else()
  # Hardening as Debian's own packages are built (reference: dpkg-buildflags hardening=+all).
  add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
