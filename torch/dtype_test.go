package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

var dtypes = []torch.DType{torch.Float32, torch.Float64, torch.BFloat16, torch.Int64, torch.Bool}

func TestDTypesRoundTrip(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		assert.Equal(t, []float64{1, -2}, s.FromFloat64([]float64{1, -2}, 2).Float64s())
		assert.Equal(t, []byte{1, 0}, s.FromBools([]bool{true, false}, 2).Bytes())
		whole := []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		assert.Equal(t, []float64{1, -2}, s.FromBytes(torch.Int64, whole, 2).ToType(torch.Float64).Float64s())
		assert.Equal(t, whole, s.FromFloat32([]float32{1, -2}, 2).ToType(torch.Int64).Bytes())
		b := s.FromFloat32([]float32{1.0078125, 3}, 2).ToType(torch.BFloat16)
		assert.Equal(t, torch.BFloat16, b.DType())
		assert.Equal(t, []byte{0x81, 0x3f, 0x40, 0x40}, b.Bytes())
		assert.Equal(t, []float32{1.0078125, 3}, s.FromBytes(torch.BFloat16, b.Bytes(),
			2).ToType(torch.Float32).Float32s())
		assert.Empty(t, s.FromFloat32(nil, 0, 3).Float32s())
		assert.Equal(t, []float32{7}, s.FromFloat32([]float32{7}).Float32s(), "a scalar has no dimension")
		assert.Equal(t, []byte{1, 0, 1}, s.FromBytes(torch.Bool, []byte{1, 0, 255}, 3).Bytes())
		assert.Panics(t, func() { b.Float32s() })
	})
}

// Every pair of types: conversion, and the type of a sum of both as PyTorch promotes it.
func TestDTypesOfAllPairs(t *testing.T) {
	const f32, f64, bf16, i64, boolean = torch.Float32, torch.Float64, torch.BFloat16, torch.Int64, torch.Bool
	promoted := map[torch.DType][]torch.DType{ // in the order of dtypes
		f32:     {f32, f64, f32, f32, f32},
		f64:     {f64, f64, f64, f64, f64},
		bf16:    {f32, f64, bf16, bf16, bf16},
		i64:     {f32, f64, bf16, i64, i64},
		boolean: {f32, f64, bf16, i64, boolean},
	}
	infer(t, func(s *torch.Scope) {
		for _, from := range dtypes {
			x := s.FromBools([]bool{true, false, true}, 3).ToType(from)
			assert.Equal(t, from, x.DType())
			assert.Len(t, x.Bytes(), 3*from.Size())
			assert.Equal(t, x.Bytes(), s.FromBytes(from, x.Bytes(), 3).Bytes())
			assert.Equal(t, []float64{0, 0, 0}, s.ZerosOf(from, 3).ToType(f64).Float64s())
			assert.True(t, x.AllFinite())
			for i, to := range dtypes {
				assert.Equal(t, []float64{1, 0, 1}, x.ToType(to).ToType(f64).Float64s(), "%s to %s", from, to)
				assert.Equal(t, promoted[from][i], x.Add(s.ZerosOf(to, 3)).DType(), "%s + %s", from, to)
			}
		}
	})
}

func TestAllFinite(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		x := s.FromFloat32([]float32{1, 0}, 2)
		assert.True(t, x.AllFinite())
		assert.False(t, x.RSqrt().AllFinite(), "+Inf")
		assert.False(t, x.AddScalar(-2).Sqrt().AllFinite(), "NaN")
	})
}

func TestMaxAbs(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		x := s.FromFloat32([]float32{1, -3, 2, 0}, 2, 2)
		assert.Equal(t, 3., x.MaxAbs())
		assert.Equal(t, 3., x.Neg().ToType(torch.BFloat16).MaxAbs())
		assert.Equal(t, math.Inf(1), x.RSqrt().Neg().Narrow(1, 1, 1).Narrow(0, 1, 1).MaxAbs(), "-1/√0")
		assert.True(t, math.IsNaN(x.Sqrt().MaxAbs()), "one NaN among others")
	})
}

func TestComputeType(t *testing.T) {
	auto := map[bool]torch.DType{true: torch.BFloat16, false: torch.Float32}[torch.FastBFloat16(torch.CPU)]
	for name, want := range map[string]torch.DType{"f32": torch.Float32, "bf16": torch.BFloat16, "auto": auto} {
		got, err := torch.ComputeType(name, torch.CPU)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
	got, err := torch.ComputeType("auto", torch.CUDA(0))
	require.NoError(t, err)
	assert.Equal(t, torch.BFloat16, got)
	for _, name := range []string{"", "f64", "BF16"} {
		_, err := torch.ComputeType(name, torch.CPU)
		assert.Equal(t, fault.Usage, fault.KindOf(err), name)
	}
}

func TestNames(t *testing.T) {
	assert.Equal(t, "f32 f64 bf16 i64 bool",
		dtypes[0].String()+" "+dtypes[1].String()+" "+dtypes[2].String()+" "+dtypes[3].String()+" "+dtypes[4].String())
	assert.Equal(t, "DType(9)", torch.DType(9).String())
	assert.Equal(t, "cpu", torch.CPU.String())
	assert.Equal(t, "cuda:1", torch.CUDA(1).String())
}
