#pragma once

// A library that is opened at run time, with all functions of it that are called.
struct delayed_function {
    const char *name;
    void **target;
};
struct delayed_library {
    const char *file;
    const struct delayed_function *functions;
    unsigned count;
};

// Where functions lead as long as their library is not open.
_Noreturn void delayed_not_open(void);

// A function called `name` that jumps on to wherever `delayed_name` says, all arguments as they are. Hidden, so that the
// libraries' calls to each other never lead through here.
#if defined(__x86_64__)
#define DELAYED_JUMP(name) "    jmp *delayed_" #name "(%rip)\n"
#elif defined(__aarch64__)
// x16 is what linkers' own stubs use.
#define DELAYED_JUMP(name)                                                                                               \
    "    hint #34\n    adrp x16, delayed_" #name "\n    ldr x16, [x16, :lo12:delayed_" #name "]\n    br x16\n"
#else
#error "the jump to a function is known for x86-64 and arm64 only"
#endif

#define DELAYED_FUNCTION(name)                                                                                           \
    __attribute__((visibility("hidden"), used)) void *delayed_##name = (void *)delayed_not_open;                         \
    __asm__(".pushsection .text\n    .globl " #name "\n    .hidden " #name "\n    .type " #name ", %function\n"          \
            #name ":\n" DELAYED_JUMP(name) "    .size " #name ", . - " #name "\n    .popsection\n");
#define DELAYED_ENTRY(name) {#name, &delayed_##name},

// `LIST` applies what it is given to the name of each function.
#define DELAYED_LIBRARY(variable, soname, LIST)                                                                          \
    LIST(DELAYED_FUNCTION)                                                                                               \
    static const struct delayed_function variable##_functions[] = {LIST(DELAYED_ENTRY)};                                 \
    const struct delayed_library variable = {                                                                            \
        soname, variable##_functions, sizeof variable##_functions / sizeof variable##_functions[0]};
