# The bytes of INPUT as a C++ array in OUTPUT.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPEAT "." 100 line)
string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "// Made from catalog.proto by the build.\n#include <cstddef>\n"
  "extern const unsigned char kCatalogDescriptor[] = {\n${bytes}};\n"
  "extern const std::size_t kCatalogDescriptorBytes = ${size};\n")
