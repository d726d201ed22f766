// Package vsphere collects the state of ESXi hosts from vCenter or from one host, by the vSphere Web Services API, and
// writes it as it came: one esxi-objects-v1 document for each host.
//
// It reads properties only. RefreshServices and RefreshFirewall would give fresher values and are not called: they need a
// privilege to change the host. Every call has a deadline, since govmomi has none of its own; a certificate fingerprint
// given by the inventory is a pin and nothing else is accepted then. A property that a host does not give is a gap of
// that host and costs no other host anything.
package vsphere

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Deadlines of one audit. A host's whole time is the fleet runner's.
const (
	connectTimeout = 15 * time.Second
	callTimeout    = 2 * time.Minute
	logoutTimeout  = 5 * time.Second
)

// pageSize is how many hosts one answer holds. vCenter truncates at 100 when unset, and very large answers have run into
// two-minute limits (ManageIQ pull requests 8211 and 7540).
const pageSize = 100

// Properties are all that is read of a host.
func Properties() []string {
	return []string{
		"name", "runtime.connectionState", "config.product", "config.lockdownMode", "config.service.service",
		"config.firewall.defaultPolicy", "config.firewall.ruleset", "config.network.vnic", "config.option",
		"hardware.systemInfo.model",
	}
}

// Collector reads ESXi hosts.
func Collector() inventory.Collector {
	return inventory.Collector{Name: "vsphere", Collect: collect}
}

func collect(ctx context.Context, t inventory.Target, w *evidence.Writer) error {
	c, err := connect(ctx, t)
	if err != nil {
		return err
	}
	m := session.NewManager(c)
	password, err := t.Secrets(t.Credential.Password)
	if err != nil {
		return fmt.Errorf("credential of %s: %w", t.Name, err)
	}
	if err := login(ctx, m, t, password); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
		defer cancel()
		_ = m.Logout(ctx) // the session ends by itself when this does not arrive
	}()
	return hosts(ctx, c, t, w)
}

// login makes one attempt: a refused password is never tried again.
func login(ctx context.Context, m *session.Manager, t inventory.Target, password []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := m.Login(ctx, url.UserPassword(t.Credential.User, string(password)))
	switch {
	case err == nil:
		if t.Accepted != nil {
			t.Accepted()
		}
		return nil
	case fault.Is(err, &types.InvalidLogin{}):
		return &inventory.Failure{
			Cause: fmt.Sprintf("%s refused the login of %q", t.Name, t.Credential.User), Refused: true, Err: err,
			Remedy: "check the password, and whether the account is locked; one attempt was made",
		}
	case fault.Is(err, &types.NoPermission{}):
		return &inventory.Failure{
			Cause: fmt.Sprintf("%s refused the login of %q: no permission", t.Name, t.Credential.User), Refused: true, Err: err,
			Remedy: "a host in lockdown mode is read through its vCenter",
		}
	}
	return fmt.Errorf("log in to %s: %w", t.Name, err)
}

// connect dials with a deadline and the certificate rule of the inventory.
func connect(ctx context.Context, t inventory.Target) (*vim25.Client, error) {
	host := t.Address
	if t.Port != 0 {
		host = net.JoinHostPort(t.Address, strconv.Itoa(int(t.Port)))
	}
	u := &url.URL{Scheme: "https", Host: host, Path: "/sdk"}
	config, err := tlsConfig(t)
	if err != nil {
		return nil, err
	}
	sc := soap.NewClient(u, false)
	tr := sc.DefaultTransport()
	tr.TLSClientConfig = config
	tr.TLSHandshakeTimeout = connectTimeout
	tr.ResponseHeaderTimeout = callTimeout
	// govmomi dials TLS without the context: a peer that accepts and is silent would hang for ever.
	tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		d := tls.Dialer{NetDialer: &net.Dialer{}, Config: config}
		return d.DialContext(ctx, network, addr)
	}
	sc.Timeout = callTimeout
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := vim25.NewClient(ctx, sc)
	if err != nil {
		return nil, explainDial(t, err)
	}
	return c, nil
}

func explainDial(t inventory.Target, err error) error {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var pin *pinError
	switch {
	case errors.As(err, &pin):
		return fmt.Errorf("connect to %s: %w", t.Name, pin)
	case errors.As(err, &unknown), errors.As(err, &hostname):
		return fmt.Errorf("connect to %s: its certificate is not trusted: %w; give options.ca_file, or pin it with options.tls_fingerprint", t.Name, err)
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return fmt.Errorf("connect to %s: no answer within %s: %w", t.Name, connectTimeout, err)
	}
	return fmt.Errorf("connect to %s: %w", t.Name, err)
}

// A pinError is a certificate that is not the pinned one.
type pinError struct{ got, want string }

func (e *pinError) Error() string {
	return fmt.Sprintf("the certificate's SHA-256 is %s, pinned is %s: no credential was sent", e.got, e.want)
}

// tlsConfig trusts the system's roots, those of options.ca_file, or exactly the certificate whose SHA-256 is
// options.tls_fingerprint.
func tlsConfig(t inventory.Target) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.Address}
	if want := t.Options["tls_fingerprint"]; want != "" {
		want = strings.ToLower(strings.ReplaceAll(want, ":", ""))
		if b, err := hex.DecodeString(want); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("options.tls_fingerprint of %s is no SHA-256 (64 hexadecimal digits, with or without colons)", t.Name)
		}
		config.InsecureSkipVerify = true // the pin below is stricter than a chain
		config.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 {
				return &pinError{"absent", want}
			}
			sum := sha256.Sum256(raw[0])
			if got := hex.EncodeToString(sum[:]); got != want {
				return &pinError{got, want}
			}
			return nil
		}
		return config, nil
	}
	if file := t.Options["ca_file"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("options.ca_file of %s: %w", t.Name, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("options.ca_file of %s: %s holds no PEM certificate", t.Name, file)
		}
	}
	return config, nil
}

// hosts retrieves every host with one ContainerView and writes each page as it comes.
func hosts(ctx context.Context, c *vim25.Client, t inventory.Target, w *evidence.Writer) error {
	v, err := view.NewManager(c).CreateContainerView(ctx, c.ServiceContent.RootFolder, []string{"HostSystem"}, true)
	if err != nil {
		return fmt.Errorf("list the hosts of %s: %w", t.Name, err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
		defer cancel()
		_ = v.Destroy(ctx)
	}()
	req := types.RetrievePropertiesEx{
		This: c.ServiceContent.PropertyCollector,
		SpecSet: []types.PropertyFilterSpec{{
			ObjectSet: []types.ObjectSpec{{
				Obj: v.Reference(), Skip: types.NewBool(true),
				SelectSet: []types.BaseSelectionSpec{&types.TraversalSpec{Type: "ContainerView", Path: "view", Skip: types.NewBool(false)}},
			}},
			PropSet: []types.PropertySpec{{Type: "HostSystem", PathSet: Properties()}},
		}},
		Options: types.RetrieveOptions{MaxObjects: pageSize},
	}
	res, err := methods.RetrievePropertiesEx(ctx, c, &req)
	if err != nil {
		return fmt.Errorf("read the hosts of %s: %w", t.Name, err)
	}
	n := 0
	for page := res.Returnval; page != nil; {
		for i := range page.Objects {
			if err := write(&page.Objects[i], t, w); err != nil {
				return err
			}
			n++
		}
		if page.Token == "" {
			break
		}
		more, err := methods.ContinueRetrievePropertiesEx(ctx, c, &types.ContinueRetrievePropertiesEx{This: c.ServiceContent.PropertyCollector, Token: page.Token})
		if err != nil {
			return fmt.Errorf("read the hosts of %s: after %d hosts: %w", t.Name, n, err)
		}
		page = &more.Returnval
	}
	if n == 0 {
		return fmt.Errorf("%s shows no host to %q: the account needs at least the Read-only role on the hosts", t.Name, t.Credential.User)
	}
	return nil
}

// A missing is a property a host did not give.
type missing struct {
	Path  string `json:"path"`
	Fault string `json:"fault"`
}

// write makes the document of one host. The object is encoded as VMware's JSON, with its type names.
func write(o *types.ObjectContent, t inventory.Target, w *evidence.Writer) error {
	name := hostName(o)
	if name == "" {
		name = o.Obj.Value
	}
	gaps := gapsOf(o)
	o.MissingSet = nil
	var object bytes.Buffer
	e := types.NewJSONEncoder(&object)
	e.SetIndent("", " ")
	if err := e.Encode(o); err != nil {
		return fmt.Errorf("encode host %s of %s: %w", name, t.Name, err)
	}
	lost, err := json.MarshalIndent(gaps, "", " ")
	if err != nil {
		return fmt.Errorf("encode host %s of %s: %w", name, t.Name, err)
	}
	for _, g := range gaps {
		w.Gap(name+" "+g.Path, g.Fault, "the account needs System.Read on the host")
	}
	meta := evidence.Meta{Command: "RetrievePropertiesEx HostSystem", Platform: "vmware_esxi", Format: "esxi-objects-v1"}
	if name != t.Name {
		meta.Host = name
	}
	out, err := w.Create(name+".esxi.json", meta)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "{\"format\": \"esxi-objects-v1\",\n\"taken\": %q,\n\"objects\": [\n%s],\n\"missing\": %s}\n",
		time.Now().UTC().Format(time.RFC3339), object.Bytes(), lost)
	return errors.Join(err, closeStream(out))
}

func closeStream(c io.Closer) error { return c.Close() }

func hostName(o *types.ObjectContent) string {
	for _, p := range o.PropSet {
		if s, ok := p.Val.(string); ok && p.Name == "name" {
			return s
		}
	}
	return ""
}

// gapsOf names what the answer lacks: properties with a fault, and those it is silent about. A host that was never
// configured has no lockdown mode, and one without vmkernel interfaces none to name; silence is told all the same.
func gapsOf(o *types.ObjectContent) []missing {
	gaps := []missing{}
	have := map[string]bool{}
	for _, m := range o.MissingSet {
		have[m.Path] = true
		kind := fmt.Sprintf("%T", m.Fault.Fault)
		if i := strings.LastIndexByte(kind, '.'); i >= 0 {
			kind = kind[i+1:]
		}
		gaps = append(gaps, missing{m.Path, kind})
	}
	for _, p := range o.PropSet {
		have[p.Name] = true
	}
	for _, p := range Properties() {
		if !have[p] {
			gaps = append(gaps, missing{p, ""})
		}
	}
	return gaps
}
