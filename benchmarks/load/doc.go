// Package load makes load: keys and values that can be told again from a number, workers in a closed loop, and
// histograms of what they waited for. It knows no client and no server.
package load
