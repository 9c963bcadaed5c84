/* Start-up for QEMU's -M mps2-an386 (Cortex-M4F): vectors, FPU on, then main; what main returns goes to the host. */
    .syntax unified
    .thumb
    .section .text.start, "ax"
    .word stack_top
    .word _start + 1
    .word fault + 1
    .word fault + 1
    .word fault + 1
    .word fault + 1
    .word fault + 1

    .thumb_func
    .global _start
_start:
    ldr r0, =0xE000ED88
    ldr r1, [r0]
    orr r1, r1, #(0xF << 20)
    str r1, [r0]
    dsb
    isb
    bl bare_main
    bl bare_exit
    .thumb_func
fault:
    movs r0, #99
    bl bare_exit
1:  b 1b

/* int bare_semihosting(int operation, const void *argument) */
    .thumb_func
    .global bare_semihosting
bare_semihosting:
    bkpt 0xab
    bx lr
