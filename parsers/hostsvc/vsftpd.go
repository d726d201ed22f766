package hostsvc

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Vsftpd reads vsftpd.conf (vsftpd.conf(5)): lines "option=value" without blanks around the sign, of which the last of one
// option counts.
func Vsftpd() facts.Format {
	return format("vsftpd-config", hostfile.Syntax{Comments: "#"}, detectVsftpd, func(f *hostfile.File, _ string) { readVsftpd(f) })
}

func detectVsftpd(path string, head []byte) facts.Confidence {
	return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
		key, _, found := bytes.Cut(line, []byte("="))
		why, known := vsftpdOptions[string(key)]
		return known && found, why != vsftpdPlain
	}).Confidence(hostfile.Named(path, "vsftpd.conf", "vsftpd.user_conf"))
}

// What an option is to the facts.
const (
	vsftpdUsed  = "" // read below
	vsftpdPlain = "a word other programs use as well, read below"
)

// vsftpdOptions are the options of vsftpd 3.0.5 (parseconf.c) with the reason why one does not bear on who transfers what.
// Those that do are read below.
var vsftpdOptions = map[string]string{
	"listen": vsftpdPlain, "listen_ipv6": vsftpdUsed, "listen_port": vsftpdUsed, "listen_address": vsftpdUsed, "listen_address6": vsftpdUsed,
	"anonymous_enable": vsftpdUsed, "local_enable": vsftpdUsed, "write_enable": vsftpdUsed, "anon_upload_enable": vsftpdUsed,
	"anon_mkdir_write_enable": vsftpdUsed, "anon_other_write_enable": vsftpdUsed, "chroot_local_user": vsftpdUsed, "chroot_list_enable": vsftpdUsed,
	"passwd_chroot_enable": vsftpdUsed, "ssl_enable": vsftpdUsed, "implicit_ssl": vsftpdUsed, "force_local_logins_ssl": vsftpdUsed,
	"force_local_data_ssl": vsftpdUsed, "force_anon_logins_ssl": vsftpdUsed, "force_anon_data_ssl": vsftpdUsed, "allow_anon_ssl": vsftpdUsed,
	"xferlog_enable": vsftpdUsed, "syslog_enable": vsftpdUsed, "dual_log_enable": vsftpdUsed, "log_ftp_protocol": vsftpdUsed,
	"anon_root": vsftpdUsed, "local_root": vsftpdUsed, "ftp_enable": vsftpdUsed, "tcp_wrappers": vsftpdUsed, "cmds_allowed": vsftpdUsed,
	"cmds_denied": vsftpdUsed, "download_enable": vsftpdUsed, "user_config_dir": vsftpdUsed, "guest_enable": vsftpdUsed,
	"virtual_use_local_privs": vsftpdUsed, "ftp_username": vsftpdUsed, "no_anon_password": vsftpdUsed, "pasv_promiscuous": vsftpdUsed, "port_promiscuous": vsftpdUsed,
	"http_enable": vsftpdUsed,

	"pasv_enable": "how data connections are opened", "port_enable": "how data connections are opened", "pasv_min_port": "how data connections are opened",
	"pasv_max_port": "how data connections are opened", "pasv_address": "how data connections are opened", "pasv_addr_resolve": "how data connections are opened",
	"ftp_data_port": "how data connections are opened", "connect_from_port_20": "how data connections are opened",
	"xferlog_std_format": "the shape of the log", "xferlog_file": "where the log is", "vsftpd_log_file": "where the log is", "no_log_lock": "how the log is written",
	"userlist_enable": "which accounts the server refuses, by a file beside it", "userlist_deny": "which accounts the server refuses, by a file beside it",
	"userlist_file": "which accounts the server refuses, by a file beside it", "userlist_log": "which accounts the server refuses, by a file beside it",
	"chroot_list_file": "where the list is", "deny_email_enable": "anonymous passwords", "banned_email_file": "anonymous passwords",
	"secure_email_list_enable": "anonymous passwords", "email_password_file": "anonymous passwords",
	"chown_uploads": "ownership of files", "chown_username": "ownership of files", "chown_upload_mode": "ownership of files", "local_umask": "modes of files",
	"anon_umask": "modes of files", "file_open_mode": "modes of files", "chmod_enable": "modes of files", "anon_world_readable_only": "modes of files",
	"dirmessage_enable": "texts shown to users", "message_file": "texts shown to users", "ftpd_banner": "texts shown to users", "banner_file": "texts shown to users",
	"dirlist_enable": "listings", "hide_ids": "listings", "hide_file": "listings", "deny_file": "names of files that are refused", "force_dot_files": "listings",
	"ls_recurse_enable": "listings", "text_userdb_names": "listings", "use_localtime": "listings",
	"ascii_upload_enable": "how bytes are sent", "ascii_download_enable": "how bytes are sent", "async_abor_enable": "how bytes are sent",
	"use_sendfile": "how bytes are sent", "trans_chunk_size": "how bytes are sent", "mdtm_write": "times of files", "lock_upload_files": "locks",
	"delete_failed_uploads": "what is left of broken transfers", "one_process_model": "processes", "setproctitle_enable": "processes", "background": "processes",
	"session_support": "processes", "run_as_launching_user": "processes", "nopriv_user": "processes", "secure_chroot_dir": "processes", "isolate": "processes",
	"isolate_network": "processes", "ptrace_sandbox": "processes", "seccomp_sandbox": "processes", "check_shell": "how accounts are checked",
	"pam_service_name": "how accounts are checked", "guest_username": "the account of guests", "user_sub_token": "names of home directories",
	"tilde_user_enable": "names of home directories", "allow_writeable_chroot": "whether a confined directory may be writable",
	"reverse_lookup_enable": "names in the log", "accept_timeout": "time-outs", "connect_timeout": "time-outs", "idle_session_timeout": "time-outs",
	"data_connection_timeout": "time-outs", "delay_failed_login": "time-outs", "delay_successful_login": "time-outs", "max_login_fails": "limits",
	"anon_max_rate": "limits", "local_max_rate": "limits", "max_clients": "limits", "max_per_ip": "limits",
	"ssl_sslv2": "versions of TLS", "ssl_sslv3": "versions of TLS", "ssl_tlsv1": "versions of TLS", "ssl_tlsv1_1": "versions of TLS", "ssl_tlsv1_2": "versions of TLS",
	"ssl_tlsv1_3": "versions of TLS", "ssl_ciphers": "ciphers of TLS", "dh_param_file": "keys of TLS", "ecdh_param_file": "keys of TLS",
	"rsa_cert_file": "keys of TLS", "dsa_cert_file": "keys of TLS", "rsa_private_key_file": "keys of TLS", "dsa_private_key_file": "keys of TLS",
	"ca_certs_file": "certificates of clients", "require_cert": "certificates of clients", "validate_cert": "certificates of clients",
	"ssl_request_cert": "certificates of clients", "ssl_sni_hostname": "certificates of clients", "strict_ssl_read_eof": "how TLS ends",
	"strict_ssl_write_shutdown": "how TLS ends", "require_ssl_reuse": "sessions of TLS", "debug_ssl": "what is logged of TLS",
	"wc_logs_enable": "the shape of the log", "allow_writable_chroot": "whether a confined directory may be writable",
}

// vsftpd is what the options of a file are.
type vsftpd struct {
	f   *hostfile.File
	set map[string]hostfile.Part // the value of each option that is set
}

// on is a boolean option; initial is its value when nothing sets it (tunables.c of 3.0.5 and vsftpd.conf(5), which agree
// but for "listen": on since 3.0.0, off in the manual).
func (v *vsftpd) on(key string, initial bool) facts.V[bool] {
	p, ok := v.set[key]
	if !ok {
		return facts.Assume(initial)
	}
	b, ok := vsftpdBool(p)
	if !ok {
		return facts.V[bool]{}
	}
	return facts.Say(b, v.f.Span(p))
}

// vsftpdBool reads YES, TRUE, 1 and their opposites, in any case.
func vsftpdBool(p hostfile.Part) (on, ok bool) {
	switch strings.ToUpper(string(p.Text)) {
	case "YES", "TRUE", "1":
		return true, true
	case "NO", "FALSE", "0":
		return false, true
	}
	return false, false
}

func readVsftpd(f *hostfile.File) {
	v := vsftpd{f, map[string]hostfile.Part{}}
	for i := range f.Lines {
		l := &f.Lines[i]
		if !l.Comment {
			v.line(l)
		}
	}
	s := facts.Service{Name: "vsftpd", Protocol: facts.FTP, Enabled: v.enabled(), Span: v.where()}
	if !s.Enabled.Span.IsZero() {
		s.Span = s.Enabled.Span
	}
	if p, ok := v.set["listen_port"]; ok && port(p) != 21 {
		s.Port = port(p)
	}
	for _, key := range []string{"listen_address", "listen_address6"} {
		if p, ok := v.set[key]; ok && bind(p.String()) != "" {
			s.Bind = strings.TrimSpace(s.Bind + " " + bind(p.String()))
		}
	}
	if facts.On(v.on("implicit_ssl", false)) {
		s.Protocol = facts.FTPS
	}
	s.Encryption = v.encryption()
	v.access(&s)
	f.Device.Services = append(f.Device.Services, s)
}

// line takes one option.
func (v *vsftpd) line(l *hostfile.Line) {
	key, value, _ := bytes.Cut(l.Text, []byte("="))
	why, known := vsftpdOptions[string(key)]
	p := l.From(min(len(key)+1, len(l.Text))).Trim()
	switch {
	case !known && bytes.HasSuffix(key, []byte(" ")):
		l.Unsupported("vsftpd does not start with a blank before the sign")
	case !known:
	case len(bytes.TrimSpace(value)) == 0:
		l.Skip() // the default
	case why == vsftpdUsed || why == vsftpdPlain:
		v.set[string(key)] = p
		l.OK()
		v.refuse(string(key), p, l)
	default:
		l.Skip()
	}
}

// refuse marks what bears on transfers and is not modelled.
func (v *vsftpd) refuse(key string, p hostfile.Part, l *hostfile.Line) {
	switch key {
	case "pasv_promiscuous", "port_promiscuous":
		if on, _ := vsftpdBool(p); on {
			l.Unsupported("data connections with a third host")
		}
	case "user_config_dir":
		l.Unsupported("options of single users lie in other files")
	case "cmds_allowed", "cmds_denied", "http_enable":
	default:
		if strings.HasSuffix(key, "_enable") || strings.HasPrefix(key, "force_") || key == "listen" || key == "listen_ipv6" {
			if _, ok := vsftpdBool(p); !ok {
				l.Unsupported("no boolean that vsftpd knows")
			}
		}
	}
}

// enabled: in standalone mode it answers by itself. Without, a super-server or socket unit starts it.
func (v *vsftpd) enabled() facts.V[bool] {
	if ftp := v.on("ftp_enable", true); facts.Off(ftp) {
		return ftp
	}
	four, six := v.on("listen", true), v.on("listen_ipv6", false)
	switch {
	case six.Origin == facts.Explicit && six.Val:
		return six
	case four.Origin == facts.Explicit && four.Val:
		return four
	case four.Origin == facts.Default:
		return facts.Assume(true)
	}
	return facts.V[bool]{}
}

// where is the first line that sets something; for a service that no line turns on.
func (v *vsftpd) where() (s evidence.Span) {
	for i := range v.f.Lines {
		if l := &v.f.Lines[i]; !l.Comment || s.IsZero() {
			s = v.f.Span(l.Part)
			if !l.Comment {
				return s
			}
		}
	}
	return s
}

// encryption is about local accounts: those of anonymous clients protect nothing (vsftpd.conf(5), force_local_logins_ssl
// and force_local_data_ssl, both on by default once ssl_enable is).
func (v *vsftpd) encryption() facts.V[facts.Encryption] {
	ssl := v.on("ssl_enable", false)
	logins, data := v.on("force_local_logins_ssl", true), v.on("force_local_data_ssl", true)
	of := func(e facts.Encryption, from facts.V[bool]) facts.V[facts.Encryption] {
		return facts.V[facts.Encryption]{Val: e, Origin: from.Origin, Span: from.Span}
	}
	implicit := v.on("implicit_ssl", false)
	switch {
	case !ssl.Known() || !logins.Known() || !data.Known() || !implicit.Known():
		return facts.V[facts.Encryption]{}
	case !ssl.Val:
		return of(facts.Cleartext, ssl)
	case implicit.Val:
		return of(facts.ImplicitTLS, implicit)
	case !logins.Val:
		return of(facts.Negotiated, logins)
	case !data.Val:
		return of(facts.EncryptedLogin, data)
	}
	return of(facts.EncryptedSessions, ssl)
}

// access is who may do what.
func (v *vsftpd) access(s *facts.Service) {
	write, anonymous := v.on("write_enable", false), v.on("anonymous_enable", true)
	s.Writable, s.Anonymous = write, anonymous
	if p, ok := v.set["cmds_allowed"]; ok && facts.On(write) && !stores(p) {
		s.Writable = facts.Say(false, v.f.Span(p))
	} else if p, ok := v.set["cmds_denied"]; ok && facts.On(write) && stores(p) {
		s.Writable = facts.V[bool]{} // some ways to store a file are closed
	}
	s.AnonymousWrite = v.anonymousWrite(s)
	s.Confined = v.confined()
	s.Logged = v.logged()
	if p, ok := v.set["anon_root"]; ok && facts.On(anonymous) {
		s.Path = p.String()
	} else if p, ok := v.set["local_root"]; ok {
		s.Path = p.String()
	}
	if w := v.on("tcp_wrappers", false); facts.On(w) {
		s.ACL = facts.Say("hosts.allow and hosts.deny", w.Span)
	}
}

// logged: any of three options turns the log on (logging.c of 3.0.5).
func (v *vsftpd) logged() facts.V[bool] {
	xfer := v.on("xferlog_enable", false)
	for _, key := range []string{"dual_log_enable", "syslog_enable"} {
		if o := v.on(key, false); facts.Off(xfer) && !facts.Off(o) {
			return o
		}
	}
	return xfer
}

// stores reports whether a list of commands names one that stores a file.
func stores(list hostfile.Part) bool {
	for _, w := range list.Split(", ") {
		for _, c := range []string{"STOR", "STOU", "APPE"} {
			if w.Fold(c) {
				return true
			}
		}
	}
	return false
}

// anonymousWrite needs write_enable and one of the three options for it. Guests have the same rights unless
// virtual_use_local_privs gives them those of local users; they have a password.
func (v *vsftpd) anonymousWrite(s *facts.Service) facts.V[bool] {
	if facts.Off(s.Anonymous) {
		return s.Anonymous
	}
	if !facts.On(s.Writable) {
		return s.Writable
	}
	unknown := false
	for _, key := range []string{"anon_upload_enable", "anon_other_write_enable", "anon_mkdir_write_enable"} {
		o := v.on(key, false)
		if facts.On(o) {
			return o
		}
		unknown = unknown || !o.Known()
	}
	if unknown || !s.Anonymous.Known() {
		return facts.V[bool]{}
	}
	return facts.Assume(false)
}

// confined: chroot_list_enable turns the option round for the users of a list.
func (v *vsftpd) confined() facts.V[bool] {
	all, list := v.on("chroot_local_user", false), v.on("chroot_list_enable", false)
	if !facts.Off(list) || facts.On(v.on("passwd_chroot_enable", false)) {
		return facts.V[bool]{}
	}
	if facts.Off(v.on("local_enable", false)) && !facts.On(v.on("guest_enable", false)) {
		return facts.Assume(true) // anonymous users always are
	}
	return all
}
