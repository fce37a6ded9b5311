# What `--base local` builds the image on: laid out as distroless' nodejs images are.
FROM scratch
COPY . /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /home/nonroot
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
