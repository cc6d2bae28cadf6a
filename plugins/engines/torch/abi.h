/* What of libtorch's stable C interface is used, declared here: torch's own headers of it are C++.
 *
 * Sources, all of torch 2.10 and unchanged in 2.15: torch/csrc/stable/c/shim.h (torch_...),
 * torch/csrc/inductor/aoti_torch/c/shim.h (aoti_torch_...). Every function that returns int32_t returns 0 or an
 * error. A tensor's handle is an owning reference that aoti_torch_delete_tensor_object gives back. A stack value is
 * an integer or a bool as it is, a double by its bits, a tensor, a list and a string by handles, which a
 * call consumes; nothing is 0, and an optional that is there a pointer to another stack value, consumed as well. */
#ifndef TORCH_ABI_H
#define TORCH_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AtenTensorOpaque *tensor;
typedef struct StableListOpaque *tensor_list;
typedef struct StringOpaque *tensor_string;
typedef struct DeviceGuardOpaque *device_guard;
typedef uint64_t stack_value;

/* F(result, name, parameters): all that must be there. */
#define TORCH_FUNCTIONS(F) \
    F(uint64_t, aoti_torch_abi_version, (void)) \
    F(int32_t, aoti_torch_device_type_cpu, (void)) \
    F(int32_t, aoti_torch_device_type_cuda, (void)) \
    F(int32_t, aoti_torch_dtype_float32, (void)) \
    F(int32_t, aoti_torch_dtype_float64, (void)) \
    F(int32_t, aoti_torch_dtype_bfloat16, (void)) \
    F(int32_t, aoti_torch_dtype_uint8, (void)) \
    F(int32_t, aoti_torch_dtype_int64, (void)) \
    F(void, aoti_torch_grad_mode_set_enabled, (bool enabled)) \
    F(int32_t, aoti_torch_delete_tensor_object, (tensor t)) \
    F(int32_t, aoti_torch_new_tensor_handle, (tensor t, tensor * ret)) \
    F(int32_t, aoti_torch_get_data_ptr, (tensor t, void **ret)) \
    F(int32_t, aoti_torch_get_dtype, (tensor t, int32_t * ret)) \
    F(int32_t, aoti_torch_get_dim, (tensor t, int64_t * ret)) \
    F(int32_t, aoti_torch_get_sizes, (tensor t, int64_t * *ret)) \
    F(int32_t, aoti_torch_get_strides, (tensor t, int64_t * *ret)) \
    F(int32_t, aoti_torch_get_storage_offset, (tensor t, int64_t * ret)) \
    F(int32_t, aoti_torch_empty_strided, \
      (int64_t dims, const int64_t *sizes, const int64_t *strides, int32_t dtype, int32_t device_type, \
       int32_t device_index, tensor *ret)) \
    F(int32_t, aoti_torch_empty_strided_pinned, \
      (int64_t dims, const int64_t *sizes, const int64_t *strides, int32_t dtype, int32_t device_type, \
       int32_t device_index, tensor *ret)) \
    F(int32_t, aoti_torch_create_tensor_from_blob, \
      (void *data, int64_t dims, const int64_t *sizes, const int64_t *strides, int64_t offset, int32_t dtype, \
       int32_t device_type, int32_t device_index, tensor *ret)) \
    F(int32_t, aoti_torch_as_strided, (tensor t, const int64_t *sizes, const int64_t *strides, tensor *ret)) \
    F(int32_t, aoti_torch__reinterpret_tensor, \
      (tensor t, int64_t dims, const int64_t *sizes, const int64_t *strides, int64_t offset, tensor *ret)) \
    F(int32_t, aoti_torch_copy_, (tensor to, tensor from, int32_t non_blocking)) \
    F(int32_t, aoti_torch_zero_, (tensor t)) \
    F(int32_t, aoti_torch_create_device_guard, (int32_t device_index, device_guard * ret)) \
    F(int32_t, aoti_torch_delete_device_guard, (device_guard guard)) \
    F(int32_t, torch_call_dispatcher, (const char *op, const char *overload, stack_value *stack, uint64_t version)) \
    F(int32_t, torch_new_list_reserve_size, (size_t count, tensor_list * ret)) \
    F(int32_t, torch_list_push_back, (tensor_list list, stack_value value)) \
    F(int32_t, torch_new_string_handle, (const char *text, size_t length, tensor_string *ret)) \
    F(int32_t, torch_parse_device_string, (const char *text, uint32_t *ret_type, int32_t *ret_index)) \
    F(int32_t, torch_get_num_threads, (uint32_t * ret))

/* Of torch 2.13 and later. */
#define TORCH_LATER_FUNCTIONS(F) \
    F(const char *, torch_exception_get_what_without_backtrace, (void)) \
    F(int32_t, torch_new_stable_ivalue, (stack_value * *ret))

/* By device, from torch/csrc/inductor/aoti_torch/generated/c_shim_{cpu,cuda,xpu,mps}.h, where the names have the
 * device in place of DEVICE. The dispatcher cannot take a number that may be an integer or not (a Scalar), and
 * these two have one. */
typedef int32_t add_tensor_function(tensor a, tensor b, double alpha, tensor *ret);
typedef int32_t multiply_number_function(tensor a, double b, tensor *ret);

#define TORCH_MEMBER(result, name, parameters) result(*name) parameters;
struct torch_functions {
    TORCH_FUNCTIONS(TORCH_MEMBER)
    TORCH_LATER_FUNCTIONS(TORCH_MEMBER) /* NULL before */
};
#undef TORCH_MEMBER

/* "2.15.0" as aoti_torch_abi_version() counts: major, minor and patch in the three highest bytes. The version whose
 * operators' arguments are written here; a later torch converts what it has changed since. */
#define TORCH_WRITTEN_FOR 0x020f000000000000u

#endif
