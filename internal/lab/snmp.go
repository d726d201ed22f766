package lab

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gosnmp/gosnmp"
)

// An SNMPVariable is one variable of a simulated agent. Value is a string, uint64 (Counter64), uint (Gauge32), uint32
// (TimeTicks) or int (INTEGER).
type SNMPVariable struct {
	OID   string
	Value any
}

// SNMPFaults are what an agent does wrong.
type SNMPFaults struct {
	GenErrAfter int  // requests answered before every other one is a genErr; 0 never
	Silent      bool // never answers
	Backwards   bool // repeats its first row for ever
}

// An SNMPAgent answers Get and GetBulk by SNMP v2c on loopback.
type SNMPAgent struct {
	Host      string
	Port      uint16
	conn      net.PacketConn
	done      sync.WaitGroup
	requests  atomic.Int64
	writes    atomic.Int64
	community string
	rows      []agentRow
	faults    SNMPFaults
}

type agentRow struct {
	key []uint64
	pdu gosnmp.SnmpPDU
}

// maxBindings is how many variables one answer holds, as agents cap it.
const maxBindings = 100

// StartSNMP starts an agent for one community.
func StartSNMP(community string, variables []SNMPVariable, faults SNMPFaults) (*SNMPAgent, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the SNMP agent: %w", err)
	}
	a := &SNMPAgent{conn: conn, community: community, faults: faults}
	udp, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("start the SNMP agent: no UDP address")
	}
	a.Host, a.Port = "127.0.0.1", uint16(udp.Port)
	for _, v := range variables {
		pdu, err := agentPDU(v)
		if err != nil {
			conn.Close()
			return nil, err
		}
		a.rows = append(a.rows, agentRow{oidKey(v.OID), pdu})
	}
	slices.SortFunc(a.rows, func(x, y agentRow) int { return slices.Compare(x.key, y.key) })
	a.done.Go(a.serve)
	return a, nil
}

// Close stops the agent and waits for it.
func (a *SNMPAgent) Close() {
	a.conn.Close()
	a.done.Wait()
}

// Requests is how many requests came, Writes how many of them were not reads.
func (a *SNMPAgent) Requests() int64 { return a.requests.Load() }

// Writes counts requests other than Get, GetNext and GetBulk.
func (a *SNMPAgent) Writes() int64 { return a.writes.Load() }

func agentPDU(v SNMPVariable) (gosnmp.SnmpPDU, error) {
	p := gosnmp.SnmpPDU{Name: v.OID, Value: v.Value}
	switch v.Value.(type) {
	case string:
		p.Type = gosnmp.OctetString
		if s, _ := v.Value.(string); strings.HasPrefix(s, ".1.3.6.1.") {
			p.Type = gosnmp.ObjectIdentifier
		}
	case uint64:
		p.Type = gosnmp.Counter64
	case uint:
		p.Type = gosnmp.Gauge32
	case uint32:
		p.Type = gosnmp.TimeTicks
	case int:
		p.Type = gosnmp.Integer
	default:
		return p, fmt.Errorf("variable %s of the SNMP agent has a value of type %T", v.OID, v.Value)
	}
	return p, nil
}

func oidKey(s string) []uint64 {
	var key []uint64
	for f := range strings.SplitSeq(strings.TrimPrefix(s, "."), ".") {
		n, err := strconv.ParseUint(f, 10, 32)
		if err != nil {
			return key
		}
		key = append(key, n)
	}
	return key
}

func (a *SNMPAgent) serve() {
	codec := &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: a.community}
	buf := make([]byte, 65535)
	for {
		n, from, err := a.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		req, err := codec.SnmpDecodePacket(slices.Clone(buf[:n]))
		if err != nil || req.Community != a.community || a.faults.Silent {
			continue // as real agents: a wrong community is met with silence
		}
		count := a.requests.Add(1)
		res := *req
		res.Variables = a.answer(req, int(count))
		if a.faults.GenErrAfter > 0 && count > int64(a.faults.GenErrAfter) {
			res.Error, res.ErrorIndex, res.Variables = gosnmp.GenErr, 1, req.Variables
		}
		res.PDUType, res.NonRepeaters, res.MaxRepetitions = gosnmp.GetResponse, 0, 0
		out, err := res.MarshalMsg()
		if err != nil {
			continue
		}
		_, _ = a.conn.WriteTo(out, from) // a lost answer is what UDP does
	}
}

func (a *SNMPAgent) answer(req *gosnmp.SnmpPacket, _ int) []gosnmp.SnmpPDU {
	switch req.PDUType {
	default:
		a.writes.Add(1)
		return req.Variables
	case gosnmp.GetRequest:
		out := make([]gosnmp.SnmpPDU, len(req.Variables))
		for i, v := range req.Variables {
			out[i] = a.get(v.Name)
		}
		return out
	case gosnmp.GetNextRequest, gosnmp.GetBulkRequest:
		return a.bulk(req)
	}
}

func (a *SNMPAgent) get(name string) gosnmp.SnmpPDU {
	key := oidKey(name)
	i, ok := slices.BinarySearchFunc(a.rows, key, func(r agentRow, k []uint64) int { return slices.Compare(r.key, k) })
	if !ok {
		return gosnmp.SnmpPDU{Name: name, Type: gosnmp.NoSuchObject}
	}
	return a.rows[i].pdu
}

func (a *SNMPAgent) bulk(req *gosnmp.SnmpPacket) []gosnmp.SnmpPDU {
	at := make([]int, len(req.Variables))
	for i, v := range req.Variables {
		key := oidKey(v.Name)
		n, found := slices.BinarySearchFunc(a.rows, key, func(r agentRow, k []uint64) int { return slices.Compare(r.key, k) })
		if found && !a.faults.Backwards {
			n++
		}
		at[i] = n
	}
	var out []gosnmp.SnmpPDU
	for r := 0; r < max(1, int(req.MaxRepetitions)) && len(out)+len(at) <= maxBindings; r++ {
		for i := range at {
			if k := at[i] + r; k < len(a.rows) {
				out = append(out, a.rows[k].pdu)
			} else {
				out = append(out, gosnmp.SnmpPDU{Name: req.Variables[i].Name, Type: gosnmp.EndOfMibView})
			}
		}
	}
	return out
}
