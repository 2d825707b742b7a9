// libcuda without a GPU: it takes what NVIDIA's compiler made, checks every launch as the driver does, and starts nothing.
#include <cstddef>
#include <cstring>

typedef int Result;
static const Result INVALID_VALUE = 1, INVALID_IMAGE = 200, NOT_FOUND = 500, NOT_SUPPORTED = 801;

struct Function { int most_shared; };

static Result set(void** what, void* value) { *what = value; return 0; }
static void* const CONTEXT = reinterpret_cast<void*>(64);

extern "C" {

Result cuGetErrorName(Result error, const char** name) {
    *name = error == INVALID_VALUE ? "CUDA_ERROR_INVALID_VALUE" : error == INVALID_IMAGE ? "CUDA_ERROR_INVALID_IMAGE"
          : error == NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : "CUDA_ERROR_NOT_SUPPORTED";
    return 0;
}
Result cuGetErrorString(Result, const char** text) { *text = "said by the null GPU"; return 0; }

Result cuDevicePrimaryCtxRelease_v2(int) { return 0; }
Result cuCtxGetCurrent(void** context) { return set(context, CONTEXT); }
Result cuCtxSetCurrent(void*) { return 0; }
Result cuCtxCreate_v2(void** context, unsigned, int) { return set(context, CONTEXT); }
Result cuCtxDestroy_v2(void*) { return 0; }
Result cuCtxGetDevice(int* device) { *device = 0; return 0; }
Result cuStreamGetCtx(void*, void** context) { return set(context, CONTEXT); }

Result cuLinkCreate_v2() { return NOT_SUPPORTED; }
Result cuLinkAddData_v2() { return NOT_SUPPORTED; }
Result cuLinkAddFile_v2() { return NOT_SUPPORTED; }
Result cuLinkComplete() { return NOT_SUPPORTED; }
Result cuLinkDestroy() { return NOT_SUPPORTED; }

Result cuModuleLoad(void**, char*) { return NOT_SUPPORTED; }
Result cuModuleLoadData(void** module, void* image) {
    if (memcmp(image, "\x7f" "ELF", 4) != 0) return INVALID_IMAGE;
    return set(module, CONTEXT);
}
Result cuModuleUnload(void*) { return 0; }
Result cuModuleGetFunction(void** function, void*, char*) { return set(function, new Function{48 << 10}); }
Result cuModuleGetGlobal_v2() { return NOT_FOUND; }

Result cuLaunchKernel(
    Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned x, unsigned y, unsigned z, unsigned shared,
    void*, void**, void**
) {
    bool grid = grid_x && grid_y && grid_z && grid_x <= 0x7fffffff && grid_y <= 65535 && grid_z <= 65535;
    bool block = x && y && z && z <= 64 && static_cast<unsigned long>(x) * y * z <= 1024;
    return grid && block && shared <= static_cast<unsigned>(function->most_shared) ? 0 : INVALID_VALUE;
}
Result cuLaunchCooperativeKernel() { return NOT_SUPPORTED; }
Result cuFuncGetAttribute(int* value, int attribute, void*) { *value = attribute == 0 ? 1024 : 0; return 0; }
Result cuFuncSetAttribute(Function* function, int attribute, int value) {
    if (attribute == 8) function->most_shared = value;
    return 0;
}
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int, size_t) { *blocks = 2; return 0; }
Result cuOccupancyMaxPotentialBlockSize(int* grid, int* block, void*, void*, size_t, int) {
    *grid = 264;
    *block = 256;
    return 0;
}
}
