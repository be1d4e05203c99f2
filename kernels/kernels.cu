// All kernels: one translation unit, one PTX.
#include "convolution.cu"
#include "convolution_tf32.cu"
#include "data.cu"
#include "elementwise.cu"
#include "losses.cu"
#include "norm.cu"
#include "optimiser.cu"
#include "vectors.cu"
