package lab

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// An ESXiHost is one host behind the simulated vCenter; fields that are zero keep the stock state.
type ESXiHost struct {
	Name    string
	Address string // of vmk0; with Mask
	Mask    string
	Version string
	// Running and Policy change services by key: TSM-SSH, TSM ...
	Running map[string]bool
	Policy  map[string]string
	// OpenOut and OpenIn switch the firewall's default policy from block to pass.
	OpenOut, OpenIn bool
	// Rulesets changes rulesets by key.
	Rulesets map[string]RulesetChange
	// Options are advanced options: Syslog.global.logHost ...
	Options map[string]string
	// Disconnected hosts are known to vCenter and not reachable.
	Disconnected bool
	// Missing are property paths that the host refuses to give.
	Missing []string
}

// A RulesetChange is the state of one firewall ruleset.
type RulesetChange struct {
	Enabled bool
	Allowed []string // addresses; empty is every address
}

// A VSphere is a simulated vCenter (govmomi's vcsim) on loopback.
type VSphere struct {
	Host        string
	Port        uint16
	Fingerprint string // SHA-256 of its certificate, hexadecimal
	server      *simulator.Server
	model       *simulator.Model
	close       sync.Once
}

// StartVSphere starts a vCenter with the given hosts that lets user in with password.
func StartVSphere(hosts []ESXiHost, user, password string) (*VSphere, error) {
	model := simulator.VPX()
	model.Cluster, model.Host, model.Machine, model.Pool = 0, len(hosts), 0, 0
	model.Datastore, model.Portgroup, model.App = 0, 0, 0
	if err := model.Create(); err != nil {
		return nil, fmt.Errorf("create the simulated vCenter: %w", err)
	}
	all := model.Map().All("HostSystem")
	slices.SortFunc(all, func(a, b mo.Entity) int {
		x, y := a.Reference().Value, b.Reference().Value
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) // host-9 before host-10
	})
	if len(all) != len(hosts) {
		model.Remove()
		return nil, fmt.Errorf("create the simulated vCenter: %d hosts, want %d", len(all), len(hosts))
	}
	for i, h := range hosts {
		host, ok := all[i].(*simulator.HostSystem)
		if !ok {
			model.Remove()
			return nil, errors.New("create the simulated vCenter: a host is none")
		}
		shape(host, h)
	}
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{User: url.UserPassword(user, password), Host: "127.0.0.1:0"}
	server := model.Service.NewServer()
	v := &VSphere{server: server, model: model}
	if err := v.describe(); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// describe learns the server's address and certificate.
func (v *VSphere) describe() error {
	host, port, err := net.SplitHostPort(v.server.URL.Host)
	if err != nil {
		return err
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return err
	}
	v.Host, v.Port = host, uint16(n)
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // to read the certificate of our own server
	c, err := d.DialContext(context.Background(), "tcp", v.server.URL.Host)
	if err != nil {
		return fmt.Errorf("read the simulated vCenter's certificate: %w", err)
	}
	defer c.Close()
	conn, ok := c.(*tls.Conn)
	if !ok {
		return errors.New("read the simulated vCenter's certificate: no TLS")
	}
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	v.Fingerprint = hex.EncodeToString(sum[:])
	return nil
}

// Close stops the server and removes what it kept.
func (v *VSphere) Close() {
	v.close.Do(func() {
		v.server.Close()
		v.model.Remove()
	})
}

// shape gives a simulated host its own state. vcsim shares these structures between hosts: they are copied first.
func shape(s *simulator.HostSystem, h ESXiHost) {
	s.Name = h.Name
	s.Summary.Config.Name = h.Name
	if h.Disconnected {
		s.Runtime.ConnectionState = types.HostSystemConnectionStateNotResponding
	}
	config := *s.Config
	s.Config = &config
	if h.Version != "" {
		config.Product.Version = h.Version
	}
	services(&config, h)
	firewall(&config, h)
	config.Option = slices.Clone(config.Option)
	for _, k := range sortedNames(h.Options) {
		config.Option = append(config.Option, &types.OptionValue{Key: k, Value: h.Options[k]})
	}
	if h.Address != "" && config.Network != nil && len(config.Network.Vnic) > 0 {
		network := *config.Network
		network.Vnic = slices.Clone(network.Vnic)
		network.Vnic[0].Spec.Ip = &types.HostIpConfig{IpAddress: h.Address, SubnetMask: h.Mask}
		config.Network = &network
	}
	for _, m := range h.Missing {
		switch m { // absence is what vcsim can show; a fault needs a rule of its server
		case "config.firewall.ruleset":
			config.Firewall = nil
		case "config.service.service":
			config.Service = nil
		case "config.option":
			config.Option = nil
		}
	}
}

func services(config *types.HostConfigInfo, h ESXiHost) {
	if config.Service == nil {
		return
	}
	info := *config.Service
	info.Service = slices.Clone(info.Service)
	for i := range info.Service {
		key := info.Service[i].Key
		if on, ok := h.Running[key]; ok {
			info.Service[i].Running = on
		}
		if p, ok := h.Policy[key]; ok {
			info.Service[i].Policy = p
		}
	}
	config.Service = &info
}

func firewall(config *types.HostConfigInfo, h ESXiHost) {
	if config.Firewall == nil {
		return
	}
	info := *config.Firewall
	info.DefaultPolicy = types.HostFirewallDefaultPolicy{IncomingBlocked: types.NewBool(!h.OpenIn), OutgoingBlocked: types.NewBool(!h.OpenOut)}
	info.Ruleset = slices.Clone(info.Ruleset)
	for i := range info.Ruleset {
		c, ok := h.Rulesets[info.Ruleset[i].Key]
		if !ok {
			continue
		}
		info.Ruleset[i].Enabled = c.Enabled
		info.Ruleset[i].AllowedHosts = &types.HostFirewallRulesetIpList{AllIp: len(c.Allowed) == 0, IpAddress: c.Allowed}
	}
	config.Firewall = &info
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}
