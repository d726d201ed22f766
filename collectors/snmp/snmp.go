// Package snmp collects identity, interface counters and listeners of a device by SNMP and writes them as a snmp-walk-v1
// document: JSON lines, one variable each, as the agent gave it.
//
// It only ever sends Get and GetBulk. Tables are read by columns side by side, a row of every column in each request,
// which takes a fraction of a walk's round trips; an agent that answers with an error, stops early or goes backwards is
// reported as a truncated table, never as a short one.
package snmp

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
)

// Defaults of one request. Agents behind slow links need the inventory's options.
const (
	requestTimeout = 3 * time.Second
	retries        = 2
	repetitions    = 25 // rows of a request: 50 breaks some agents, over 127 gets nothing from others (gosnmp#100, telegraf#8823)
	maxRows        = 200_000
)

// A Table is columns that share an index.
type Table struct {
	Name    string
	Columns []string
}

// Scalars are single variables read first: identity and time (RFC 3418).
func Scalars() []string {
	return []string{
		".1.3.6.1.2.1.1.1.0",    // sysDescr
		".1.3.6.1.2.1.1.2.0",    // sysObjectID
		".1.3.6.1.2.1.1.3.0",    // sysUpTime
		".1.3.6.1.2.1.1.5.0",    // sysName
		".1.3.6.1.2.1.31.1.5.0", // ifTableLastChange
	}
}

// Tables are all tables that are read.
func Tables() []Table {
	return []Table{
		{"ifXTable", []string{ // RFC 2863
			".1.3.6.1.2.1.31.1.1.1.1",  // ifName
			".1.3.6.1.2.1.31.1.1.1.6",  // ifHCInOctets
			".1.3.6.1.2.1.31.1.1.1.10", // ifHCOutOctets
			".1.3.6.1.2.1.31.1.1.1.15", // ifHighSpeed
			".1.3.6.1.2.1.31.1.1.1.18", // ifAlias
			".1.3.6.1.2.1.31.1.1.1.19", // ifCounterDiscontinuityTime
		}},
		{"ifTable", []string{
			".1.3.6.1.2.1.2.2.1.2",  // ifDescr
			".1.3.6.1.2.1.2.2.1.8",  // ifOperStatus
			".1.3.6.1.2.1.2.2.1.10", // ifInOctets, where there are no 64-bit counters
			".1.3.6.1.2.1.2.2.1.16", // ifOutOctets
		}},
		{"ipAddrTable", []string{".1.3.6.1.2.1.4.20.1.2", ".1.3.6.1.2.1.4.20.1.3"}}, // ipAdEntIfIndex, ipAdEntNetMask (RFC 1213)
		{"tcpListenerTable", []string{".1.3.6.1.2.1.6.20.1.4"}},                     // tcpListenerProcess (RFC 4022)
		{"tcpConnTable", []string{".1.3.6.1.2.1.6.13.1.1"}},                         // tcpConnState, older agents have only this
		{"udpEndpointTable", []string{".1.3.6.1.2.1.7.7.1.8"}},                      // udpEndpointProcess (RFC 4113)
		{"udpTable", []string{".1.3.6.1.2.1.7.5.1.2"}},                              // udpLocalPort, older agents
	}
}

// Collector reads devices by SNMP v2c and v3.
func Collector() inventory.Collector {
	return inventory.Collector{Name: "snmp", Collect: collect}
}

func collect(ctx context.Context, t inventory.Target, w *evidence.Writer) error {
	g, err := client(ctx, t)
	if err != nil {
		return err
	}
	if err := g.Connect(); err != nil {
		return fmt.Errorf("connect to %s: %w", t.Name, err)
	}
	defer g.Conn.Close()
	first, err := g.Get(Scalars())
	if err != nil {
		return explain(t, err)
	}
	out, err := w.Create("snmp.walk.jsonl", evidence.Meta{Command: "GetBulk", Platform: t.Platform, Format: "snmp-walk-v1"})
	if err != nil {
		return err
	}
	d := &document{w: json.NewEncoder(out)}
	d.header(t)
	for _, v := range first.Variables {
		d.variable(v)
	}
	var failed []string
	for _, table := range Tables() {
		rows, why := walk(ctx, g, table, d)
		d.end(table, rows, why)
		if why != "" {
			w.Gap(t.Name+" "+table.Name, why, "the rows that came are kept; a smaller options.repetitions helps some agents")
			failed = append(failed, table.Name+": "+why)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(d.err, closeStream(out)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	if len(failed) > 0 {
		return fmt.Errorf("read %s: truncated: %s", t.Name, strings.Join(failed, "; "))
	}
	return nil
}

func closeStream(c io.Closer) error { return c.Close() }

// client is a session set up from the inventory. Each target has its own: a session is not safe for several goroutines.
func client(ctx context.Context, t inventory.Target) (*gosnmp.GoSNMP, error) {
	port := t.Port
	if port == 0 {
		port = 161
	}
	g := &gosnmp.GoSNMP{
		Context: ctx, Target: t.Address, Port: port, Transport: "udp", Timeout: requestTimeout, Retries: retries,
		MaxOids: gosnmp.MaxOids, MaxRepetitions: repetitions, ExponentialTimeout: false,
	}
	if n, err := strconv.ParseUint(t.Options["repetitions"], 10, 8); err == nil && n > 0 {
		g.MaxRepetitions = uint32(n)
	}
	if d, err := time.ParseDuration(t.Options["timeout"]); err == nil && d > 0 {
		g.Timeout = d
	}
	c := t.Credential
	if c.Community != "" {
		community, err := t.Secrets(c.Community)
		if err != nil {
			return nil, fmt.Errorf("credential of %s: %w", t.Name, err)
		}
		g.Version, g.Community = gosnmp.Version2c, string(community)
		return g, nil
	}
	return g, version3(t, g)
}

// version3 sets the User-based Security Model up (RFC 3414; SHA-2 by RFC 7860, AES by RFC 3826).
func version3(t inventory.Target, g *gosnmp.GoSNMP) error {
	c := t.Credential
	if c.User == "" {
		return fmt.Errorf("credential of %s: SNMP needs a community (v2c) or a user (v3)", t.Name)
	}
	auth, ok := map[string]gosnmp.SnmpV3AuthProtocol{
		"": gosnmp.NoAuth, "MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA-1": gosnmp.SHA,
		"SHA-224": gosnmp.SHA224, "SHA-256": gosnmp.SHA256, "SHA-384": gosnmp.SHA384, "SHA-512": gosnmp.SHA512,
	}[strings.ToUpper(c.AuthProtocol)]
	if !ok {
		return fmt.Errorf("credential of %s: auth_protocol %q is not MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512", t.Name, c.AuthProtocol)
	}
	priv, ok := map[string]gosnmp.SnmpV3PrivProtocol{
		"": gosnmp.NoPriv, "DES": gosnmp.DES, "AES": gosnmp.AES, "AES-128": gosnmp.AES,
		"AES-192": gosnmp.AES192, "AES-256": gosnmp.AES256, "AES-192C": gosnmp.AES192C, "AES-256C": gosnmp.AES256C,
	}[strings.ToUpper(c.PrivProtocol)]
	if !ok {
		return fmt.Errorf("credential of %s: priv_protocol %q is not DES, AES, AES-192, AES-256, AES-192C or AES-256C", t.Name, c.PrivProtocol)
	}
	usm := &gosnmp.UsmSecurityParameters{UserName: c.User, AuthenticationProtocol: auth, PrivacyProtocol: priv}
	g.MsgFlags = gosnmp.NoAuthNoPriv
	if auth != gosnmp.NoAuth {
		pass, err := t.Secrets(c.AuthPass)
		if err != nil {
			return fmt.Errorf("credential of %s: %w", t.Name, err)
		}
		usm.AuthenticationPassphrase, g.MsgFlags = string(pass), gosnmp.AuthNoPriv
	}
	if priv != gosnmp.NoPriv {
		pass, err := t.Secrets(c.PrivPass)
		if err != nil {
			return fmt.Errorf("credential of %s: %w", t.Name, err)
		}
		usm.PrivacyPassphrase, g.MsgFlags = string(pass), gosnmp.AuthPriv
	}
	g.Version, g.SecurityModel, g.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, usm
	return nil
}

// explain says what an agent that does not answer may mean.
func explain(t inventory.Target, err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "timeout"):
		return fmt.Errorf("read %s: no answer by SNMP: a wrong community, an access list on the device and a filter on the way all look like this: %w", t.Name, err)
	case strings.Contains(text, "unknown username"), strings.Contains(text, "wrong digest"), strings.Contains(text, "usmStats"):
		return fmt.Errorf("read %s: the SNMPv3 credential was refused: %w", t.Name, err)
	}
	return fmt.Errorf("read %s: %w", t.Name, err)
}

// walk reads a table's columns side by side and says why it ended early; empty when every column ended.
func walk(ctx context.Context, g *gosnmp.GoSNMP, table Table, d *document) (rows int, why string) {
	type column struct {
		base, at string
	}
	open := make([]column, len(table.Columns))
	for i, c := range table.Columns {
		open[i] = column{c, c}
	}
	repeat := g.MaxRepetitions
	for len(open) > 0 {
		if err := ctx.Err(); err != nil {
			return rows, "interrupted"
		}
		oids := make([]string, len(open))
		for i, c := range open {
			oids[i] = c.at
		}
		res, err := g.GetBulk(oids, 0, repeat)
		if err != nil || res.Error == gosnmp.TooBig {
			if repeat > 1 && ctx.Err() == nil {
				repeat /= 2 // an agent that cannot fill so many rows
				continue
			}
			if err != nil {
				return rows, "no answer after " + strconv.Itoa(rows) + " variables: " + err.Error()
			}
		}
		if res.Error != gosnmp.NoError {
			return rows, fmt.Sprintf("the agent answered %s after %d variables", res.Error, rows)
		}
		if len(res.Variables) == 0 {
			return rows, fmt.Sprintf("the agent answered nothing after %d variables", rows)
		}
		ended := make([]bool, len(open))
		for i, v := range res.Variables {
			k := i % len(open)
			if ended[k] {
				continue
			}
			if v.Type == gosnmp.EndOfMibView || v.Type == gosnmp.NoSuchObject || v.Type == gosnmp.NoSuchInstance || !strings.HasPrefix(v.Name, open[k].base+".") {
				ended[k] = true
				continue
			}
			if compareOID(v.Name, open[k].at) <= 0 {
				return rows, fmt.Sprintf("the agent went backwards at %s", v.Name)
			}
			open[k].at = v.Name
			d.variable(v)
			if rows++; rows > maxRows {
				return rows, fmt.Sprintf("more than %d variables", maxRows)
			}
		}
		var still []column
		for k, c := range open {
			if !ended[k] {
				still = append(still, c)
			}
		}
		open = still
	}
	return rows, ""
}

// compareOID orders object identifiers by their numbers.
func compareOID(a, b string) int {
	for {
		a, b = strings.TrimPrefix(a, "."), strings.TrimPrefix(b, ".")
		if a == "" || b == "" {
			return len(a) - len(b)
		}
		x, restA, _ := strings.Cut(a, ".")
		y, restB, _ := strings.Cut(b, ".")
		m, _ := strconv.ParseUint(x, 10, 64)
		n, _ := strconv.ParseUint(y, 10, 64)
		if m != n {
			if m < n {
				return -1
			}
			return 1
		}
		a, b = restA, restB
	}
}

// A document is the JSON lines of one walk.
type document struct {
	w   *json.Encoder
	err error
}

func (d *document) put(v any) {
	if d.err == nil {
		d.err = d.w.Encode(v)
	}
}

func (d *document) header(t inventory.Target) {
	d.put(struct {
		Format string `json:"format"`
		Device string `json:"device"`
		Taken  string `json:"taken"`
	}{"snmp-walk-v1", t.Name, time.Now().UTC().Format(time.RFC3339Nano)})
}

// end says how a table ended, so that a cut one is never taken for a short one.
func (d *document) end(t Table, rows int, why string) {
	d.put(struct {
		Table    string `json:"table"`
		Rows     int    `json:"rows"`
		Complete bool   `json:"complete"`
		Reason   string `json:"reason,omitempty"`
	}{t.Name, rows, why == "", why})
}

type variable struct {
	OID   string `json:"oid"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// variable writes one binding. Types are named as net-snmp names them.
func (d *document) variable(v gosnmp.SnmpPDU) {
	x := variable{OID: v.Name}
	switch v.Type {
	case gosnmp.OctetString:
		b, _ := v.Value.([]byte)
		if text(b) {
			x.Type, x.Value = "STRING", string(b)
		} else {
			x.Type, x.Value = "Hex-STRING", hex.EncodeToString(b)
		}
	case gosnmp.ObjectIdentifier:
		x.Type, x.Value = "OID", v.Value
	case gosnmp.IPAddress:
		x.Type, x.Value = "IpAddress", v.Value
	case gosnmp.TimeTicks:
		x.Type, x.Value = "Timeticks", gosnmp.ToBigInt(v.Value)
	case gosnmp.Counter32:
		x.Type, x.Value = "Counter32", gosnmp.ToBigInt(v.Value)
	case gosnmp.Counter64:
		x.Type, x.Value = "Counter64", gosnmp.ToBigInt(v.Value)
	case gosnmp.Gauge32:
		x.Type, x.Value = "Gauge32", gosnmp.ToBigInt(v.Value)
	case gosnmp.Integer:
		x.Type, x.Value = "INTEGER", gosnmp.ToBigInt(v.Value)
	case gosnmp.NoSuchObject, gosnmp.NoSuchInstance, gosnmp.EndOfMibView, gosnmp.Null:
		return
	default:
		if f, ok := v.Value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return
		}
		x.Type, x.Value = v.Type.String(), fmt.Sprint(v.Value)
	}
	d.put(x)
}

// text reports whether b can be shown as it is.
func text(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}
