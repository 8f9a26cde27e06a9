// Small line drawings, 24 x 24. They stand beside words or carry the name of their button; they say nothing themselves.

const PATHS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  download: "M12 4v11m0 0l-4.500-4.500M12 15l4.500-4.500M5 20h14",
  upload: "M12 16V5m0 0L7.500 9.500M12 5l4.500 4.500M5 20h14",
  pause: "M9 6v12M15 6v12",
  play: "M8 5.500v13l10.500-6.500z",
  stop: "M7 7h10v10H7z",
  retry: "M20 12a8 8 0 1 1-2.600-5.900M20 4v4.500h-4.500",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  copy: "M9 9h10v11H9zM15 9V5H5v11h4",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700L12 6.300M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  sun: "M12 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500h4",
  bellOff: "M6 16.500V11c0-1 .2-2 .7-2.800M9 5.800A6 6 0 0 1 18 11v3M4.500 18H16M10 20.500h4M4 4l16 16",
  out: "M14 5h5v14h-5M4 12h10m0 0l-3.500-3.500M14 12l-3.500 3.500",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  check: "M5 12.500l4.500 4.500L19 7.500",
  warning: "M12 4l9 16H3zM12 10v4.500M12 17.300v.2",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.500v.2",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.500 2",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.700h4M4 14.300h4M16 9.700h4M16 14.300h4",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v5.500",
  more: "M5 12h.1M12 12h.1M19 12h.1",
  down: "M6 9.500l6 6 6-6",
  right: "M9.500 6l6 6-6 6",
  forth: "M5 12h14m0 0l-6-6M19 12l-6 6",
  back: "M19 12H5m0 0l6-6M5 12l6 6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
