/* A library, but no plugin. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int some_function(void);
int some_function(void) { return 0; }
