// Package house holds the tests that keep the architecture: who may import whom, which folders exist, what every package
// must say of itself, and which third-party module lives where. It has no code of its own.
package house
