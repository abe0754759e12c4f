package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// formatVersion is what CURRENT is stamped with and the marker begins with. A newer one is refused.
const formatVersion = 1

// ringSize is how many flush numbers are on record. A .mem file of 64 MiB holds fewer flushes than this, since each puts
// more than 256 bytes into it.
const ringSize = 1 << 18

var (
	markerKey = []byte{metaPrefix, 'm'}
	intentKey = []byte{metaPrefix, 'i'}
	// filePrefix begins the records of blob files, ringPrefix the numbers of flushes.
	filePrefix = []byte{metaPrefix, 'f'}
	ringPrefix = []byte{metaPrefix, 'r'}

	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func fileKey(no uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, 6), filePrefix...), no)
}

func ringKey(number uint64) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, 6), ringPrefix...), uint32(number%ringSize))
}

// marker is what a flush makes durable beside its data.
type marker struct {
	number   uint64 // of the flush
	ringFrom uint64 // the first flush of this generation: earlier numbers are not on record in it
	nextBlob uint32 // no blob file has this number or a higher one
	keys     int64  // estimate of living keys
	tombs    int64  // estimate of tombstones
	mems     []memFile
	pos      Position
}

// memFile says which flush was the first that can be in a .mem file of Badger's.
type memFile struct{ id, since uint64 }

// markerPad makes every flush larger than ringSize allows for.
const markerPad = 160

func (m *marker) encode() []byte {
	b := make([]byte, 0, 128+markerPad+len(m.pos.Conf)+16*len(m.mems))
	b = binary.LittleEndian.AppendUint16(b, formatVersion)
	b = binary.LittleEndian.AppendUint64(b, m.number)
	b = binary.LittleEndian.AppendUint64(b, m.ringFrom)
	b = binary.LittleEndian.AppendUint32(b, m.nextBlob)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.keys))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.tombs))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.mems)))
	for _, f := range m.mems {
		b = binary.LittleEndian.AppendUint64(b, f.id)
		b = binary.LittleEndian.AppendUint64(b, f.since)
	}
	b = m.pos.append(b)
	b = append(b, make([]byte, markerPad)...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parseMarker(b []byte) (*marker, error) {
	const fixed = 2 + 8 + 8 + 4 + 8 + 8 + 2
	if len(b) < fixed+4 {
		return nil, errors.New("the marker is too short")
	}
	if v := binary.LittleEndian.Uint16(b); v > formatVersion {
		return nil, fmt.Errorf("the marker has format %d, this program knows formats up to %d", v, formatVersion)
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, errors.New("the marker's checksum does not match")
	}
	m := &marker{
		number:   binary.LittleEndian.Uint64(b[2:]),
		ringFrom: binary.LittleEndian.Uint64(b[10:]),
		nextBlob: binary.LittleEndian.Uint32(b[18:]),
		keys:     int64(binary.LittleEndian.Uint64(b[22:])),
		tombs:    int64(binary.LittleEndian.Uint64(b[30:])),
	}
	n := int(binary.LittleEndian.Uint16(b[38:]))
	b = b[fixed:end]
	if len(b) < 16*n {
		return nil, errors.New("the marker is too short")
	}
	for i := range n {
		m.mems = append(m.mems, memFile{
			id:    binary.LittleEndian.Uint64(b[16*i:]),
			since: binary.LittleEndian.Uint64(b[16*i+8:]),
		})
	}
	var err error
	m.pos, err = parsePosition(b[16*n:])
	return m, err
}

// fileRecord is what is known of a blob file. A file that is gone has one too, of one byte.
type fileRecord struct {
	size int64 // durable bytes
	dead int64 // estimate of the bytes that no pointer leads to
}

func (f fileRecord) encode() []byte {
	b := append(make([]byte, 0, 17), 1)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.size))
	return binary.LittleEndian.AppendUint64(b, uint64(f.dead))
}

// parseFileRecord returns ok false for a file that is gone.
func parseFileRecord(b []byte) (f fileRecord, ok bool, err error) {
	if len(b) == 1 && b[0] == 0 {
		return fileRecord{}, false, nil
	}
	if len(b) != 17 || b[0] != 1 {
		return fileRecord{}, false, errors.New("the record of a blob file cannot be read")
	}
	return fileRecord{
		size: int64(binary.LittleEndian.Uint64(b[1:])),
		dead: int64(binary.LittleEndian.Uint64(b[9:])),
	}, true, nil
}
