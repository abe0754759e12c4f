package resp

// bitsCommands are the rows of the commands on the bits of strings.
func bitsCommands() []command {
	return []command{
		{
			name: "bitcount", arity: -2, flags: isRead | catBitmap,
			keys:  []keySpec{{keyRO | keyAccess, 1, 0, 1, ""}},
			group: "bitmap", since: "2.6.0",
			summary: "Count set bits in a string.",
			run:     cmdBitcount,
		},
		{
			name: "bitfield", arity: -2, flags: isWrite | denyOOM | catBitmap,
			keys:  []keySpec{{keyRW | keyAccess | keyUpdate | keyVariable, 1, 0, 1, "This command allows both access and modification of the key"}},
			group: "bitmap", since: "3.2.0",
			summary: "Perform arbitrary bitfield integer operations on strings.",
			run:     cmdBitfield,
		},
		{
			name: "bitfield_ro", arity: -2, flags: isRead | isFast | catBitmap,
			keys:  []keySpec{{keyRO | keyAccess, 1, 0, 1, ""}},
			group: "bitmap", since: "6.0.0",
			summary: "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD.",
			run:     cmdBitfieldRo,
		},
		{
			name: "bitop", arity: -4, flags: isWrite | denyOOM | catBitmap,
			keys:  []keySpec{{keyOW | keyUpdate, 2, 0, 1, ""}, {keyRO | keyAccess, 3, -1, 1, ""}},
			group: "bitmap", since: "2.6.0",
			summary: "Perform bitwise operations between strings.",
			run:     cmdBitop,
		},
		{
			name: "bitpos", arity: -3, flags: isRead | catBitmap,
			keys:  []keySpec{{keyRO | keyAccess, 1, 0, 1, ""}},
			group: "bitmap", since: "2.8.7",
			summary: "Find first bit set or clear in a string.",
			run:     cmdBitpos,
		},
		{
			name: "getbit", arity: 3, flags: isRead | isFast | catBitmap,
			keys:  []keySpec{{keyRO | keyAccess, 1, 0, 1, ""}},
			group: "bitmap", since: "2.2.0",
			summary: "Returns the bit value at offset in the string value stored at key.",
			run:     cmdGetbit,
		},
		{
			name: "setbit", arity: 4, flags: isWrite | denyOOM | catBitmap,
			keys:  []keySpec{{keyRW | keyAccess | keyUpdate, 1, 0, 1, ""}},
			group: "bitmap", since: "2.2.0",
			summary: "Sets or clears the bit at offset in the string value stored at key.",
			run:     cmdSetbit,
		},
	}
}
