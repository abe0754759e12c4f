package disk

import "unsafe"

// DirectAlign is what offsets, lengths and memory of direct reads are multiples of, in bytes.
const DirectAlign = 4096

// AlignedBuffer returns n bytes, a multiple of DirectAlign, that a direct read may fill.
func AlignedBuffer(n int) []byte {
	b := make([]byte, n+DirectAlign)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (DirectAlign - 1)
	return b[skip : skip+n : skip+n]
}
