#ifndef GATEHOUSE_CPKCS11_SHIM_H
#define GATEHOUSE_CPKCS11_SHIM_H

/* The names as the header itself has them, without macros that rename them. */
#define CRYPTOKI_GNU 1

#include <dlfcn.h>
#include <stddef.h>
#include <p11-kit-1/p11-kit/pkcs11.h>

/* The table of a module's functions; NULL where the library is no PKCS #11 module. A symbol's address is a data
   pointer in POSIX and in Swift, and becomes a function here. */
static inline struct ck_function_list *gh_pkcs11_functions(void *library) {
    ck_rv_t (*get)(struct ck_function_list **) =
        (ck_rv_t (*)(struct ck_function_list **))dlsym(library, "C_GetFunctionList");
    struct ck_function_list *list = NULL;
    if (get == NULL || get(&list) != CKR_OK) { return NULL; }
    return list;
}

#endif
