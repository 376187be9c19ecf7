#pragma once
#include <ft2build.h>
#include FT_FREETYPE_H

// Macros with arguments, which Swift cannot see.
static const FT_Int32 cfreetype_load_render = FT_LOAD_RENDER;
