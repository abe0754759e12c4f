package front

import (
	"encoding/binary"
	"strings"
	"testing"
)

// firstPackets are what clients were seen to send first.
var firstPackets = []struct {
	name, bytes string
	want        Verdict
	at          int // bytes after which it must be known; 0: all of them
}{
	{"native", "\xF1LIN\x00\x00\x00\x20", Native, 4},
	{"redis-benchmark", "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$4\r\nsave\r\n", RESP, 4},
	{"redis-cli", "*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n", RESP, 4},
	{"redis-cli -3", "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", RESP, 4},
	{"go-redis, ioredis", "*2\r\n$5\r\nhello\r\n$1\r\n3\r\n", RESP, 4},
	{"empty array", "*-1\r\n", RESP, 4},
	{"ten arguments", "*10\r\n$4\r\nMSET", RESP, 4},
	{"bad array", "*abc\r\n", RESP, 4},
	{"inline", "PING\r\n", RESP, 5},
	{"inline set", "SET k v\r\n", RESP, 4},
	{"inline get", "GET foo\r\n", RESP, 0},
	{"inline get of a path", "GET /foo\r\n", RESP, 0},
	{"inline get without an argument", "GET\r\n", RESP, 0},
	{"inline getrange", "GETRANGE k 0 1\r\n", RESP, 4},
	{"inline set that looks like HTTP", "SET k HTTP/1.1\r\n", RESP, 4},
	{"empty lines", "\r\n\r\nPING\r\n", RESP, 5},
	{"line feeds", "\n\n\n\n", RESP, 4},
	{"memcached", "get a\r\n", RESP, 4},
	{"ssh", "SSH-2.0-OpenSSH_9.2\r\n", RESP, 4},
	{"amqp", "AMQP\x00\x00\x09\x01", RESP, 5},
	{"curl", "GET / HTTP/1.1\r\nHost: localhost:7380\r\n", HTTP, 16},
	{"curl put", "PUT /v1/kv/a%20b HTTP/1.1\r\n", HTTP, 0},
	{"curl delete", "DELETE /x HTTP/1.1\r\n", HTTP, 0},
	{"old http", "HEAD / HTTP/1.0\n", HTTP, 0},
	{"connect", "CONNECT a:1 HTTP/1.1\r\n", HTTP, 0},
	{"options", "OPTIONS * HTTP/1.1\r\n", HTTP, 0},
	{"a long path", "GET /" + strings.Repeat("%20", 64_000) + " HTTP/1.1\r\n", HTTP, maxLine + 1},
	{"a long line", "GET k" + strings.Repeat("x", 2*maxLine), Unknown, maxLine + 1},
	{"h2c", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", H2C, 16},
	{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaa", TLS, 16},
	{"tls, small", "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03aaaaaaaaaa", TLS, 16},
	{"tls alert", "\x16\x03\x01\x00\xc8\x02\x00\x00\xc4\x03\x03aaaaaaaaaa", Unknown, 16},
	{"kcat", "\x00\x00\x00\x24\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07rdkafka\x00", Kafka, 16},
	{"franz-go", "\x00\x00\x00\x1d\x00\x12\x00\x05\x00\x00\x00\x00\x00\x04kgo\xff", Kafka, 16},
	{"kafka-python", "\x00\x00\x00\x1f\x00\x12\x00\x00\x00\x00\x00\x01\x00\x0ckafka-python", Kafka, 16},
	{"kafkajs", "\x00\x00\x00\x11\x00\x12\x00\x02\x00\x00\x00\x00\x00\x07kafkajs", Kafka, 16},
	{"kafka, no client id", "\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x00\xff\xff", Kafka, 14},
	{"mongo OP_QUERY", "\x3a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00\x04\x00\x00\x00admin.$cmd\x00", Mongo, 16},
	{"mongo OP_MSG", "\xa0\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00", Mongo, 16},
	{"postgres SSLRequest", "\x00\x00\x00\x08\x04\xd2\x16\x2f", Unknown, 4},
	{"postgres startup", "\x00\x00\x00\x54\x00\x03\x00\x00user\x00postgres\x00", Unknown, 16},
	{"proxy v2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", Proxy, 12},
	{"high bytes", "\xff\xfe\xfd\xfc", Unknown, 4},
	{"almost native", "\xF1LIM", Unknown, 4},
	{"a length too small", "\x05\x00\x00\x00\x00\x00", Unknown, 4},
}

func TestEveryCapturedFirstPacketIsRecognised(t *testing.T) {
	for _, p := range firstPackets {
		want := p.at
		if want == 0 {
			want = strings.IndexByte(p.bytes, '\n') + 1
		}
		if got := Detect([]byte(p.bytes)); got != p.want {
			t.Errorf("%s: %v, want %v", p.name, got, p.want)
		}
		if got := Detect([]byte(p.bytes[:want])); got != p.want {
			t.Errorf("%s: after %d bytes %v, want %v", p.name, want, got, p.want)
		}
	}
}

func TestAVerdictDoesNotChangeWithMoreBytes(t *testing.T) {
	for _, p := range firstPackets {
		check(t, p.name, []byte(p.bytes))
	}
}

// check sees to it that every beginning of b says NeedMore up to some length, and one and the same verdict from there.
func check(t *testing.T, name string, b []byte) {
	t.Helper()
	seen := NeedMore
	for n := range len(b) + 1 {
		if n > maxLine+64 && n < len(b) {
			continue // nothing looks so far behind
		}
		v := Detect(b[:n])
		if seen != NeedMore && v != seen {
			t.Fatalf("%s: %v after %d bytes, %v before", name, v, n, seen)
		}
		seen = v
	}
}

func TestEveryMongoLengthIsRecognised(t *testing.T) {
	step := uint32(1)
	if testing.Short() || raceEnabled {
		step = 97
	}
	b := make([]byte, headSize)
	for _, op := range []uint32{2004, 2012, 2013} {
		binary.LittleEndian.PutUint32(b[12:], op)
		for n := uint32(mongoMinLen); n <= mongoMaxLen; n += step {
			binary.LittleEndian.PutUint32(b, n)
			if v := Detect(b); v != Mongo {
				t.Fatalf("length %d (% x), op %d: %v", n, b[:4], op, v)
			}
			for _, k := range [...]int{4, 8, 14, 15} {
				if v := Detect(b[:k]); v != NeedMore {
					t.Fatalf("length %d (% x), op %d: %v after %d bytes", n, b[:4], op, v, k)
				}
			}
		}
	}
}

func TestEveryKafkaHeadIsRecognised(t *testing.T) {
	b := make([]byte, headSize)
	lengths := []int{10, 11, 12, 13, 20, 21, 36, 255, 256, 257, 300, 1000, 2004, 4096, 32767, 32777, 65535, 65536, 1 << 20, kafkaMaxLen - 1}
	for _, n := range lengths {
		binary.BigEndian.PutUint32(b, uint32(n))
		for key := range kafkaMaxKey + 1 {
			binary.BigEndian.PutUint16(b[4:], uint16(key))
			for version := range kafkaMaxVers + 1 {
				binary.BigEndian.PutUint16(b[6:], uint16(version))
				for id := -1; id <= min(n-kafkaMinLen, 32767); id += 1 + max(0, id)/7 {
					binary.BigEndian.PutUint16(b[12:], uint16(id))
					head := b[:min(headSize, 4+n)]
					if v := Detect(head); v != Kafka {
						t.Fatalf("length %d key %d version %d id %d: %v", n, key, version, id, v)
					}
				}
			}
		}
	}
	for id := -1; id <= 32767; id++ { // every length of a client id once
		binary.BigEndian.PutUint32(b, 40_000)
		binary.BigEndian.PutUint16(b[12:], uint16(id))
		if v := Detect(b); v != Kafka {
			t.Fatalf("id %d: %v", id, v)
		}
	}
	for _, bad := range [][2]uint16{{kafkaMaxKey + 1, 0}, {0, kafkaMaxVers + 1}, {0xFFFF, 0}, {0, 0xFFFF}} {
		binary.BigEndian.PutUint16(b[4:], bad[0])
		binary.BigEndian.PutUint16(b[6:], bad[1])
		if v := Detect(b); v != Unknown {
			t.Fatalf("key %d version %d: %v", bad[0], bad[1], v)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, p := range firstPackets {
		if len(p.bytes) < 100 {
			f.Add([]byte(p.bytes))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= 64 {
			check(t, "fuzz", b)
		}
		if len(b) > maxLine && Detect(b) == NeedMore {
			t.Fatalf("% x… is not decided after %d bytes", b[:headSize], len(b))
		}
	})
}
