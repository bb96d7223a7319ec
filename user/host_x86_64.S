/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host instructions whose addresses the signal handler has to know: the one place where
 * guests' system calls enter the kernel, and the one copy that may fault.
 */
    .text

/*
 * int64_t user_host_stub(const uint32_t *request, uint32_t bits, long nr, const uint64_t a[6])
 *
 * A signal between check and insn has the handler continue at abort: nothing is lost between the
 * look at the request word and the kernel. rcx is 0 until the kernel was entered, which leaves the
 * return address in it: so a rewound (ERESTARTSYS) call is told from one that has not begun.
 */
    .globl user_host_stub, user_host_stub_check, user_host_stub_insn, user_host_stub_done
    .globl user_host_stub_abort
    .hidden user_host_stub, user_host_stub_check, user_host_stub_insn, user_host_stub_done
    .hidden user_host_stub_abort
    .type user_host_stub, @function
user_host_stub:
    push    %rbx
    push    %r12
    mov     %rdi, %rbx
    mov     %esi, %r12d
    mov     %rdx, %rax
    mov     %rcx, %r11
    mov     (%r11), %rdi
    mov     8(%r11), %rsi
    mov     16(%r11), %rdx
    mov     24(%r11), %r10
    mov     32(%r11), %r8
    mov     40(%r11), %r9
    xor     %ecx, %ecx
user_host_stub_check:
    test    %r12d, (%rbx)
    jnz     user_host_stub_abort
user_host_stub_insn:
    syscall
user_host_stub_done:
    pop     %r12
    pop     %rbx
    ret
user_host_stub_abort:
    mov     $-600, %rax
    pop     %r12
    pop     %rbx
    ret
    .size user_host_stub, . - user_host_stub

/* size_t user_copy(void *dst, const void *src, size_t n): bytes not copied */
    .globl user_copy, user_copy_insn, user_copy_end
    .hidden user_copy_insn, user_copy_end
    .type user_copy, @function
user_copy:
    mov     %rdx, %rcx
user_copy_insn:
    rep movsb
user_copy_end:
    mov     %rcx, %rax
    ret
    .size user_copy, . - user_copy

/* The host handler returns through here. */
    .globl user_host_restorer
    .hidden user_host_restorer
    .type user_host_restorer, @function
    nop
user_host_restorer:
    mov     $15, %eax
    syscall
    .size user_host_restorer, . - user_host_restorer

/*
 * long user_host_vfork(unsigned long flags, void *stack, void (*fn)(void *), void *arg, int *ptid,
 *                      int *ctid): clone with shared memory on another stack; the parent's result.
 */
    .globl user_host_vfork
    .hidden user_host_vfork
    .type user_host_vfork, @function
user_host_vfork:
    mov     %r8, %rax           /* ptid */
    mov     %r9, %r10           /* ctid */
    mov     %rdx, %r9           /* fn */
    mov     %rcx, %r8           /* the TLS argument, unused: carries arg over the call */
    mov     %rax, %rdx
    and     $-16, %rsi
    mov     $56, %eax
    syscall
    test    %rax, %rax
    jnz     1f
    xor     %ebp, %ebp
    mov     %r8, %rdi
    call    *%r9
    hlt
1:  ret
    .size user_host_vfork, . - user_host_vfork

    .section .note.GNU-stack,"",@progbits
