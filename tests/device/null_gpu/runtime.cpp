// The CUDA runtime without a GPU: device memory is main memory, all zeros; streams and events are numbers, and always done.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>

static thread_local int current = 0;
static const int DEVICES = 2;
static const size_t LARGEST = size_t(2) << 30;  // more is out of memory: sizes that come from numbers nobody computed

static void* handle() {
    static long last = 4096;
    return reinterpret_cast<void*>(__atomic_add_fetch(&last, 16, __ATOMIC_SEQ_CST));
}

static cudaError_t moved(void* to, const void* from, size_t bytes) {
    memmove(to, from, bytes);
    return cudaSuccess;
}

#define DONE { return cudaSuccess; }

extern "C" {

cudaError_t cudaProfilerStart() DONE
cudaError_t cudaProfilerStop() DONE

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
        case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
        case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
        case cudaErrorNotSupported: return "cudaErrorNotSupported";
        default: return "cudaErrorUnknown";
    }
}
const char* cudaGetErrorString(cudaError_t) { return "said by the null GPU"; }
cudaError_t cudaGetLastError() DONE
cudaError_t cudaDriverGetVersion(int* version) { *version = CUDART_VERSION; return cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { *version = CUDART_VERSION; return cudaSuccess; }

// Devices

cudaError_t cudaGetDeviceCount(int* count) { *count = DEVICES; return cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { *device = current; return cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= DEVICES) return cudaErrorInvalidDevice;
    current = device;
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() DONE
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    switch (attribute) {
        case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
        case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
        case cudaDevAttrMultiProcessorCount: *value = 132; break;
        case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
        case cudaDevAttrWarpSize: *value = 32; break;
        case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; break;
        case cudaDevAttrMaxGridDimX: *value = 0x7fffffff; break;
        default: *value = 1;
    }
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* found, int) {
    memset(found, 0, sizeof *found);
    strcpy(found->name, "NVIDIA Null");
    found->major = 9;
    found->multiProcessorCount = 132;
    found->warpSize = 32;
    found->maxThreadsPerBlock = 1024;
    found->sharedMemPerBlock = 48 << 10;
    found->totalGlobalMem = size_t(128) << 30;
    return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) { *can = 1; return cudaSuccess; }
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) DONE

// Memory

cudaError_t cudaMalloc(void** made, size_t bytes) {
    if (bytes > LARGEST) return cudaErrorMemoryAllocation;
    size_t whole = (bytes + 511) / 512 * 512 + 512;
    *made = aligned_alloc(512, whole);
    if (*made == nullptr) return cudaErrorMemoryAllocation;
    memset(*made, 0, whole);
    return cudaSuccess;
}
cudaError_t cudaFree(void* memory) { free(memory); return cudaSuccess; }
cudaError_t cudaMallocAsync(void** made, size_t bytes, cudaStream_t) { return cudaMalloc(made, bytes); }
cudaError_t cudaFreeAsync(void* memory, cudaStream_t) { return cudaFree(memory); }
cudaError_t cudaHostAlloc(void** made, size_t bytes, unsigned) { return cudaMalloc(made, bytes); }
cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
    *free = size_t(100) << 30;
    *total = size_t(128) << 30;
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) { return moved(to, from, bytes); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
    return moved(to, from, bytes);
}
cudaError_t cudaMemcpyPeer(void* to, int, const void* from, int, size_t bytes) { return moved(to, from, bytes); }
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t) {
    return moved(to, from, bytes);
}
cudaError_t cudaMemset(void* memory, int value, size_t bytes) { memset(memory, value, bytes); return cudaSuccess; }
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
    return cudaMemset(memory, value, bytes);
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* found, const void* memory) {
    memset(found, 0, sizeof *found);
    found->type = cudaMemoryTypeDevice;
    found->device = current;
    found->devicePointer = const_cast<void*>(memory);
    return cudaSuccess;
}

// Streams and events

cudaError_t cudaStreamCreate(cudaStream_t* made) { *made = static_cast<cudaStream_t>(handle()); return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* made, unsigned) { return cudaStreamCreate(made); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* made, unsigned, int) { return cudaStreamCreate(made); }
cudaError_t cudaStreamDestroy(cudaStream_t) DONE
cudaError_t cudaStreamSynchronize(cudaStream_t) DONE
cudaError_t cudaStreamQuery(cudaStream_t) DONE
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) DONE
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
    *status = cudaStreamCaptureStatusNone;
    return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* made) { *made = static_cast<cudaEvent_t>(handle()); return cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* made, unsigned) { return cudaEventCreate(made); }
cudaError_t cudaEventDestroy(cudaEvent_t) DONE
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) DONE
cudaError_t cudaEventQuery(cudaEvent_t) DONE
cudaError_t cudaEventSynchronize(cudaEvent_t) DONE
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t, cudaEvent_t) { *milliseconds = 1; return cudaSuccess; }
}
