// Package record builds, judges and reads batches of records in the format that Kafka calls record batch, version 2
// (https://kafka.apache.org/documentation/#recordbatch): what producers send, what lies on disk and what consumers get is the
// same run of bytes, so that nothing in between takes records apart.
//
// A Builder makes a batch, Check says whether one that somebody else has made is good in every respect, Next walks a run of
// batches by their heads alone, and a Reader takes the records out of one. Nothing here keeps state beyond its own values but
// the pools of the codecs; all functions may be called from any goroutine, the values by one at a time.
package record
