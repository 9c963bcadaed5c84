/* Start-up for QEMU's -M virt with a Cortex-A: a stack, then main; what main returns goes to the host. */
    .syntax unified
    .arm
    .section .text.start, "ax"
    .global _start
_start:
    ldr sp, =stack_top
    bl bare_main
    bl bare_exit
1:  b 1b

/* int bare_semihosting(int operation, const void *argument) */
    .global bare_semihosting
bare_semihosting:
    svc 0x123456
    bx lr
