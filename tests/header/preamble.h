/*
 * SmoothCore: Smooth Streaming for set-top boxes.
 *
 * Generated from src/capi by `make header`; do not edit.
 *
 * Results    0 is SMOOTHCORE_OK. A positive number is no error: SMOOTHCORE_WOULD_BLOCK, SMOOTHCORE_END. A negative
 *            number is an error with a name below; it keeps its number for ever. smoothcore_strerror() gives a line
 *            of text. New numbers may appear: treat an unknown negative number as an error.
 * Time       Media time is int64_t in units of 100 ns. Host time is uint64_t in microseconds of a clock that never
 *            goes back, whatever its zero, in names that end in _us. The library reads no clock.
 * Text       Strings end with NUL and are UTF-8. Every function that takes a pointer refuses NULL with
 *            SMOOTHCORE_E_ARGUMENT unless its comment allows it; destroy functions do nothing then.
 * Threads    The library starts none and keeps no global state but the log sink. Everything of one player is called
 *            from one thread at a time, and not from inside its own callbacks, which is detected and refused. What
 *            may be called from elsewhere says so. Two players are independent.
 * Ownership  A pointer is valid during the call it is passed to or by, unless its comment says otherwise. The library
 *            never frees what it did not allocate. What a create function returns goes back to its destroy function.
 * Structs    Where a struct begins with struct_size, set it to sizeof the struct you compiled with and zero the rest
 *            first. A shorter struct of an older header is read as if continued with zeros; zero means the default.
 *            A longer one is refused when its unknown tail is not zero; where the library fills a struct of yours, it
 *            fills what you declared and zeroes a tail it does not know. Structs only ever grow at their end.
 * Callbacks  userdata comes first and is yours alone. A callback may not unwind or longjmp through the library.
 * Memory     All memory comes from the two smoothcore_port_ functions, which the firmware defines. When they return
 *            NULL the library returns SMOOTHCORE_E_NO_MEMORY; it never aborts.
 */
