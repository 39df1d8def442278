//! The families of GPU computing.

use super::Family;

/// Families of what NVIDIA and AMD make.
pub static GPU: &[Family] = &[
    Family {
        finder: "cuda",
        when: &["libnvrtc*.so*"],
        needs: &["libnvrtc-builtins*"],
        note: "kernels that are compiled while a program runs need the compiler's built-in functions",
    },
    Family {
        finder: "cuda",
        when: &["libcudnn*.so*"],
        needs: &["libcudnn_*.so*", "libnvrtc*.so*", "../../cuda_nvrtc/lib"],
        note: "cuDNN opens its parts, and the compiler of kernels, by name",
    },
    Family {
        finder: "cuda",
        when: &["libcudart*.so*"],
        needs: &["../../../nvidia/*/lib"],
        note: "frameworks open the libraries of CUDA's wheels by name, and compute without a GPU where one is missing",
    },
    Family {
        finder: "cuda",
        when: &["libcuda.so*"],
        needs: &["libnvidia-ptxjitcompiler*", "libnvidia-nvvm*"],
        note: "the driver compiles code for newer GPUs with libraries that it opens by name",
    },
    Family {
        finder: "rocm",
        when: &["libamdhip64.so*", "libhiprtc.so*"],
        needs: &["libamd_comgr.so*", "libhiprtc-builtins.so*"],
        note: "kernels are compiled and loaded with libraries that are opened by name",
    },
    Family {
        finder: "rocm",
        when: &[
            "librocblas.so*",
            "libhipblaslt.so*",
            "libhipsparselt.so*",
            "librocfft.so*",
        ],
        needs: &["rocblas", "hipblaslt", "hipsparselt", "rocfft"],
        note: "kernels lie in files of their own; without them the library stops",
    },
    Family {
        finder: "rocm",
        when: &["libMIOpen.so*"],
        needs: &["../share/miopen", "/usr/share/miopen"],
        note: "without its databases each kernel is searched for anew",
    },
    Family {
        finder: "rocm",
        when: &["libaotriton*.so*"],
        needs: &["aotriton.images"],
        note: "kernels lie in files of their own",
    },
];
