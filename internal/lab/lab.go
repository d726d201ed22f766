// Package lab is the simulated fleet: SSH devices, a vCenter with ESXi hosts and SNMP agents, in process, on loopback and
// free ports. They answer from given content and can be told to misbehave as real ones do. Everything started is stopped
// by its Close, which waits; nothing is left behind.
package lab
