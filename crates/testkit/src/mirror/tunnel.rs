use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::Shared;
use super::request::Connection;

/// Answers a CONNECT and carries bytes both ways until either side ends.
pub(super) fn run(connection: Connection<TcpStream>, authority: &str, shared: &Shared) {
    // What ends early ends the tunnel; the client then sees a closed connection.
    let _ = carry(connection, authority, shared);
}

fn carry(connection: Connection<TcpStream>, authority: &str, shared: &Shared) -> io::Result<()> {
    let (mut client, ahead) = connection.into_parts();
    let routed = shared.state().routes.get(authority).copied();
    let address = match routed.or_else(|| authority.parse::<SocketAddr>().ok()) {
        Some(address) => address,
        None => return client.write_all(b"HTTP/1.1 502 No Route\r\nContent-Length: 0\r\n\r\n"),
    };
    let mut origin = TcpStream::connect(address)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    origin.write_all(&ahead)?;
    let (mut from_client, mut to_client) = (client.try_clone()?, client);
    let (mut from_origin, mut to_origin) = (origin.try_clone()?, origin);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_origin);
            let _ = to_origin.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut from_origin, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}
