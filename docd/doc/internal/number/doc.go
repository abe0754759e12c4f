// Package number does arithmetic on BSON's four kinds of number as MongoDB does it: int32 grows to int64 where it must,
// a double makes a double of an integer, and a decimal makes a decimal of anything.
//
// Decimals are IEEE 754-2008 decimal128: 34 digits, rounded half to even. The arithmetic is apd's, not the processor's,
// and the doubles are never left to a fused multiply-add, so every machine comes to the same bits.
package number
