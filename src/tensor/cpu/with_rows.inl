/* A call with the number of rows known to the compiler; `f` takes it first. */
#define WITH_ROWS(count, f, ...)                                                                                       \
    switch (count) {                                                                                                   \
    case 1: f(1, __VA_ARGS__); break;                                                                                  \
    case 2: f(2, __VA_ARGS__); break;                                                                                  \
    case 3: f(3, __VA_ARGS__); break;                                                                                  \
    case 4: f(4, __VA_ARGS__); break;                                                                                  \
    case 5: f(5, __VA_ARGS__); break;                                                                                  \
    case 6: f(6, __VA_ARGS__); break;                                                                                  \
        WITH_MORE_ROWS(f, __VA_ARGS__)                                                                                 \
    }
#if defined(__AVX512F__)
#define WITH_MORE_ROWS(f, ...)                                                                                         \
    case 7: f(7, __VA_ARGS__); break;                                                                                  \
    case 8: f(8, __VA_ARGS__); break;                                                                                  \
    case 9: f(9, __VA_ARGS__); break;                                                                                  \
    case 10: f(10, __VA_ARGS__); break;                                                                                \
    case 11: f(11, __VA_ARGS__); break;                                                                                \
    case 12: f(12, __VA_ARGS__); break;
#else
#define WITH_MORE_ROWS(f, ...)
#endif
